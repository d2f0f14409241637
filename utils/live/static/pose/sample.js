/* Reads a square of a picture as Python does (`sample_movenet_square` in utils/pose/networks.py).
 *
 * Done by hand on the picture's own bytes: what a canvas makes when it scales a picture
 * differs between browsers and moves keypoints by 2.7 px.
 */

/** Where on one axis of a picture its pixels are read: {first, step}. */
function placeSamples(start, side, picture, size) {
  const scale = (picture - 1) / picture;
  return { first: start * scale, step: (side / (size - 1)) * scale };
}

/** Neighbours and weights of each sample of an axis; `inside` is 0 beyond the picture. */
function planAxis(start, side, picture, size) {
  const { first, step } = placeSamples(start, side, picture, size);
  const low = new Int32Array(size);
  const high = new Int32Array(size);
  const share = new Float64Array(size);
  const inside = new Uint8Array(size);
  const last = picture - 1;
  for (let i = 0; i < size; i += 1) {
    const at = first + step * i;
    const floor = Math.floor(at);
    inside[i] = at >= 0 && at <= last ? 1 : 0;
    low[i] = Math.min(Math.max(floor, 0), last);
    high[i] = Math.min(Math.max(floor + 1, 0), last);
    share[i] = at - floor;
  }
  return { low, high, share, inside };
}

/**
 * Return an Int32Array (size, size, 3) of RGB, 0 to 255, black outside the picture.
 *
 * `picture`: {data: RGBA bytes, width, height}; `square`: {left, top, side} in pixels.
 */
export function sampleSquare(picture, square, size) {
  const { data, width, height } = picture;
  const x = planAxis(square.left, square.side, width, size);
  const y = planAxis(square.top, square.side, height, size);
  const sampled = new Int32Array(size * size * 3);
  for (let row = 0; row < size; row += 1) {
    if (!y.inside[row]) continue;
    const upper = y.low[row] * width;
    const lower = y.high[row] * width;
    const down = y.share[row];
    for (let column = 0; column < size; column += 1) {
      if (!x.inside[column]) continue;
      const right = x.share[column];
      const a = 4 * (upper + x.low[column]);
      const b = 4 * (upper + x.high[column]);
      const c = 4 * (lower + x.low[column]);
      const d = 4 * (lower + x.high[column]);
      const to = 3 * (row * size + column);
      for (let k = 0; k < 3; k += 1) {
        const above = data[a + k] + right * (data[b + k] - data[a + k]);
        const below = data[c + k] + right * (data[d + k] - data[c + k]);
        sampled[to + k] = Math.round(above + down * (below - above));
      }
    }
  }
  return sampled;
}
