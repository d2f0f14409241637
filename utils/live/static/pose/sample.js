/* Reads a square of a picture as Python does (`sample_movenet_square` in utils/pose/networks.py).
 *
 * Done by hand on the picture's own bytes: what a canvas makes when it scales a picture
 * differs between browsers and moves keypoints by 2.7 px. Done in the single precision and
 * order of OpenCV's `warpAffine`, so that not one grey level differs: one in ten thousand
 * off by 1 moved keypoints that nobody would be sure of by 2 px, and their scores by 0.2.
 */

const single = Math.fround;

/** `a * b + c` rounded once, as processors do that have it (the product is exact here). */
const multiplyAdd = (a, b, c) => single(a * b + c);

/** `a * b + c` rounded twice. */
const multiplyThenAdd = (a, b, c) => single(single(a * b) + c);


/**
 * Neighbours and weights of each sample of an axis; `inside` is 0 beyond the picture.
 *
 * `place` is how OpenCV goes along it: columns are rounded once, rows twice.
 */
function planAxis(start, side, picture, size, place) {
  const scale = (picture - 1) / picture;
  const first = start * scale;
  const step = (side / (size - 1)) * scale;
  const low = new Int32Array(size);
  const high = new Int32Array(size);
  const share = new Float32Array(size);
  const inside = new Uint8Array(size);
  const last = picture - 1;
  for (let i = 0; i < size; i += 1) {
    const exact = first + step * i;
    inside[i] = exact >= 0 && exact <= last ? 1 : 0;
    const at = place(i, single(step), single(first));
    const floor = Math.floor(at);
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
  const x = planAxis(square.left, square.side, width, size, multiplyAdd);
  const y = planAxis(square.top, square.side, height, size, multiplyThenAdd);
  const sampled = new Uint8ClampedArray(size * size * 3); // rounds halves to even
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
        const above = multiplyAdd(right, data[b + k] - data[a + k], data[a + k]);
        const below = multiplyAdd(right, data[d + k] - data[c + k], data[c + k]);
        sampled[to + k] = multiplyAdd(down, single(below - above), above);
      }
    }
  }
  return Int32Array.from(sampled);
}
