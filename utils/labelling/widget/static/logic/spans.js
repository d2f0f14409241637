/* Arithmetic of times, rows and spans; knows nothing of the page. */

export const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

/** Index of the last entry of the sorted `values` that is <= x, or -1. */
export function lastAtOrBefore(values, x) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (values[mid] <= x) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}

/** The entry [start, end, ...] of sorted, disjoint `spans` that covers time t. */
export function spanAt(spans, t) {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (spans[mid][0] <= t) low = mid + 1;
    else high = mid;
  }
  const span = spans[low - 1];
  return span && t < span[1] ? span : null;
}

/** The first and the last row of the sampled frames that lie between times a and b. */
export function rowsBetween(times, a, b) {
  const [low, high] = [Math.min(a, b), Math.max(a, b)];
  const first = Math.max(lastAtOrBefore(times, low), 0);
  return [first, Math.max(lastAtOrBefore(times, high), first)];
}

/**
 * The row where the next unlabelled span, or segment of one, starts; it goes round.
 *
 * `labels` holds the label of each row, null for none; `segments` the segments of the
 * video. -1: there is no other start, here or elsewhere.
 */
export function findUnlabelled(row, sign, { times, labelOf, segments }) {
  const n = times.length;
  const isFree = (k) => labelOf(k) === null;
  const starts = (k) => {
    if (!isFree(k)) return false;
    if (k === 0 || !isFree(k - 1)) return true;
    const segment = spanAt(segments, times[k]);
    return segment !== null && segment[0] > times[k - 1];
  };
  for (let k = 1; k < n; k++) {
    const next = (row + sign * k + n) % n;
    if (starts(next)) return next;
  }
  return -1;
}

/** The next row, in the direction of `sign`, whose label differs from the row before it. */
export function findChange(row, sign, { n, labelOf }) {
  for (let k = row + sign; k >= 0 && k < n; k += sign) {
    if (labelOf(k) !== (k > 0 ? labelOf(k - 1) : undefined)) return k;
  }
  return -1;
}

/** Start of the first still segment after time t that has no label; null if none has. */
export function findOpenSegment(segments, t, labelAt) {
  for (const [start, end, isStill] of segments) {
    if (start <= t || !isStill) continue;
    if (labelAt((start + end) / 2) === null) return start;
  }
  return null;
}

/**
 * The boundary of labels within `reach` of time t, the nearest: its time, the labels on
 * both sides (null for none), and the times between which it can be moved.
 */
export function boundaryAt(spans, t, reach, endTime) {
  const times = [...new Set(spans.flatMap(([start, end]) => [start, end]))].sort((a, b) => a - b);
  const near = times.reduce((a, b) => (Math.abs(b - t) < Math.abs(a - t) ? b : a), Infinity);
  if (Math.abs(near - t) > reach) return null;
  const at = times.indexOf(near);
  return {
    time: near,
    before: spans.find(([, end]) => end === near)?.[2] ?? null,
    after: spans.find(([start]) => start === near)?.[2] ?? null,
    low: times[at - 1] ?? 0,
    high: times[at + 1] ?? endTime,
  };
}

/** What to label so that a boundary moves to time t: [start, end, label], or null. */
export function moveBoundary({ time, before, after, low, high }, t) {
  const to = clamp(t, low, high);
  if (to === time) return null;
  return to > time ? [time, to, before] : [to, time, after];
}
