/* Frames of the current video: asked for ahead of need, kept within bounds. */

import { lastAtOrBefore } from "./spans.js";

const FRAMES_A_BATCH = 12;
const FRAMES_A_FAR_BATCH = 24; // a message costs the page more than its frames do
const BATCHES_IN_FLIGHT = 2;
export const BATCH_LOST_AFTER_MS = 8000;
const JPEG_BUDGET_BYTES = 48e6; // about 2,400 frames of 480 x 360
export const ROWS_AHEAD = 360;
const ROWS_BEHIND = 120;
const BITMAPS_KEPT = 48; // 480 x 360 RGBA: 33 MB
const BITMAPS_AHEAD = 16;
const KEYPOINTS_A_FRAME = 17;

export class FrameStore {
  constructor(ask, onNews) {
    this.ask = ask;
    this.onNews = onNews;
    this.clear(0);
  }

  clear(n) {
    for (const bitmap of this.bitmaps?.values() ?? []) bitmap.close();
    for (const bitmap of this.thumbs?.bitmaps ?? []) bitmap.close();
    this.n = n;
    this.jpegs = new Map(); // row -> {blob, keypoints}
    this.bytes = 0;
    this.bitmaps = new Map();
    this.decoding = new Set();
    this.asked = new Map(); // row -> when it was asked for
    this.batches = 0;
    this.thumbs = { rows: [], bitmaps: [] };
    this.generation = (this.generation ?? 0) + 1;
    this.center = 0;
  }

  /** Take a batch from the kernel; the last buffer holds the keypoints. */
  take(rows, buffers) {
    const last = buffers[rows.length];
    const keypoints = new Float32Array(
      last.buffer.slice(last.byteOffset, last.byteOffset + last.byteLength)
    );
    const size = KEYPOINTS_A_FRAME * 3;
    const wasAsked = rows.some((row) => this.asked.has(row));
    rows.forEach((row, i) => {
      this.asked.delete(row);
      if (this.jpegs.has(row)) return;
      const blob = new Blob([buffers[i]], { type: "image/jpeg" });
      this.bytes += blob.size;
      this.jpegs.set(row, { blob, keypoints: keypoints.subarray(i * size, (i + 1) * size) });
    });
    if (wasAsked) this.batches = Math.max(0, this.batches - 1);
    this.forgetFar();
    this.onNews(rows);
  }

  async takeOverview(rows, buffers) {
    const generation = this.generation;
    const blobs = buffers.map((buffer) => new Blob([buffer], { type: "image/jpeg" }));
    const bitmaps = await Promise.all(
      blobs.map((blob) => createImageBitmap(blob).catch(() => null))
    );
    if (generation !== this.generation) return;
    const all = this.thumbs.rows.map((row, i) => [row, this.thumbs.bitmaps[i]]);
    rows.forEach((row, i) => bitmaps[i] && all.push([row, bitmaps[i]]));
    all.sort((a, b) => a[0] - b[0]);
    this.thumbs = { rows: all.map((x) => x[0]), bitmaps: all.map((x) => x[1]) };
    this.onNews(null); // may stand in for any frame
  }

  /** Drop what lies farthest from the playhead once the budget is spent. */
  forgetFar() {
    if (this.bytes <= JPEG_BUDGET_BYTES) return;
    const far = [...this.jpegs.keys()].sort(
      (a, b) => Math.abs(b - this.center) - Math.abs(a - this.center)
    );
    for (const row of far) {
      if (this.bytes <= 0.8 * JPEG_BUDGET_BYTES) return;
      this.bytes -= this.jpegs.get(row).blob.size;
      this.jpegs.delete(row);
    }
  }

  /** Ask for and decode what is shown (`urgent` rows) and what will be shown next. */
  want(center, direction, stride, urgent) {
    this.center = center;
    const ahead = (k) => center + direction * k;
    for (const row of [center, ...urgent]) this.decode(row);
    for (let k = 1; k <= BITMAPS_AHEAD; k++) this.decode(ahead(k * stride));
    if (this.batches >= BATCHES_IN_FLIGHT && !this.dropLost()) return;
    const rows = new Set();
    const add = (row, most) => {
      if (row >= 0 && row < this.n && !this.jpegs.has(row) && !this.asked.has(row)) rows.add(row);
      return rows.size >= most;
    };
    const fill = () => {
      for (const row of [center, ...urgent]) if (add(row, FRAMES_A_BATCH)) return;
      for (let k = 1; k <= BITMAPS_AHEAD; k++) if (add(ahead(k * stride), FRAMES_A_BATCH)) return;
      if (rows.size) return; // at once; what is farther off can wait
      for (let k = 1; k <= ROWS_AHEAD; k++) {
        if (add(ahead(k), FRAMES_A_FAR_BATCH)) return;
        const behind = center - (direction * k) / 3;
        if (k % 3 === 0 && k / 3 <= ROWS_BEHIND && add(behind, FRAMES_A_FAR_BATCH)) return;
      }
      rows.clear(); // a few far ones: not worth a message
    };
    while (this.batches < BATCHES_IN_FLIGHT) {
      rows.clear();
      fill();
      if (!rows.size) return;
      const now = performance.now();
      for (const row of rows) this.asked.set(row, now);
      this.batches += 1;
      this.ask([...rows]);
    }
  }

  /** Forget requests that were never answered (kernel busy or restarted). */
  dropLost() {
    const late = performance.now() - BATCH_LOST_AFTER_MS;
    const lost = [...this.asked].filter(([, when]) => when < late);
    for (const [row] of lost) this.asked.delete(row);
    if (lost.length) this.batches = 0;
    return lost.length > 0;
  }

  async decode(row) {
    const jpeg = this.jpegs.get(row);
    if (!jpeg || this.bitmaps.has(row) || this.decoding.has(row)) return;
    this.decoding.add(row);
    const generation = this.generation;
    const bitmap = await createImageBitmap(jpeg.blob).catch(() => null);
    if (generation !== this.generation) return;
    this.decoding.delete(row);
    if (!bitmap) return;
    this.bitmaps.set(row, bitmap);
    if (this.bitmaps.size > BITMAPS_KEPT) {
      let far = row;
      for (const other of this.bitmaps.keys()) {
        if (Math.abs(other - this.center) > Math.abs(far - this.center)) far = other;
      }
      this.bitmaps.get(far).close();
      this.bitmaps.delete(far);
    }
    this.onNews([row]);
  }

  /** The nearest small picture of the overview, to show until the frame itself is here. */
  standIn(row) {
    const { rows, bitmaps } = this.thumbs;
    if (!rows.length) return null;
    const i = lastAtOrBefore(rows, row);
    if (i < 0) return bitmaps[0];
    return rows[i + 1] - row < row - rows[i] ? bitmaps[i + 1] : bitmaps[i];
  }
}
