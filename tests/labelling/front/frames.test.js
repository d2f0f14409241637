import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FrameStore } from "../../../utils/labelling/widget/static/logic/frames.js";

const N_NUMBERS = 17 * 3; // a pose: x, y, score

let asked, news, closed;

beforeEach(() => {
  asked = [];
  news = [];
  closed = [];
  globalThis.createImageBitmap = async (blob) => {
    const text = await blob.text();
    if (text === "broken") throw new Error("no picture");
    return { text, close: () => closed.push(text) };
  };
});

function build(n) {
  const store = new FrameStore((rows) => asked.push(rows), (rows) => news.push(rows));
  store.clear(n);
  return store;
}

/** A kernel's answer: a "JPEG" that says its row, and poses filled with the row. */
function answer(rows, write = (row) => `picture ${row}`) {
  const poses = new Float32Array(rows.flatMap((row) => Array(N_NUMBERS).fill(row)));
  const buffers = rows.map((row) => new DataView(new TextEncoder().encode(write(row)).buffer));
  return [rows, [...buffers, new DataView(poses.buffer)]];
}

const settle = () => new Promise((done) => setTimeout(done, 5));
const none = new Set();

test("the frame in view is asked for first, then what comes next in its direction", () => {
  const store = build(1000);
  store.want(500, 1, 1, none);
  assert.equal(asked[0][0], 500);
  assert.deepEqual(asked[0].slice(0, 4), [500, 501, 502, 503]);
  assert.ok(asked.length <= 2, "no more than two batches on the way");
  asked.length = 0;
  const back = build(1000);
  back.want(500, -1, 5, none);
  assert.deepEqual(asked[0].slice(0, 3), [500, 495, 490]);
});

test("no row outside the video is asked for, and none twice", () => {
  const store = build(6);
  store.want(4, 1, 1, new Set([3, 5, 6, 7]));
  store.want(4, 1, 1, none);
  const rows = asked.flat();
  assert.equal(new Set(rows).size, rows.length);
  assert.ok(rows.every((row) => row >= 0 && row < 6));
});

test("an answer makes room for the next batch and is decoded when wanted", async () => {
  const store = build(1000);
  store.want(0, 1, 1, none);
  const n = asked.length;
  store.take(...answer(asked[0]));
  assert.deepEqual(news[0], asked[0]);
  store.want(0, 1, 1, none);
  assert.equal(asked.length, n + 1);
  await settle();
  assert.equal(store.bitmaps.get(0).text, "picture 0");
  assert.equal(store.jpegs.get(3).keypoints[0], 3);
  assert.equal(store.jpegs.get(3).keypoints.length, N_NUMBERS);
});

test("a picture that cannot be decoded is no picture, and no error", async () => {
  const store = build(10);
  store.take(...answer([0], () => "broken"));
  store.want(0, 1, 1, none);
  await settle();
  assert.equal(store.bitmaps.size, 0);
});

test("what the kernel never answered is asked for again, but not at once", (t) => {
  const store = build(6);
  store.want(0, 1, 1, none);
  const before = asked.length;
  store.dropLost();
  store.want(0, 1, 1, none);
  assert.equal(asked.length, before);
  const now = performance.now();
  t.mock.method(performance, "now", () => now + 9000);
  assert.ok(store.dropLost());
  store.want(0, 1, 1, none);
  assert.ok(asked.length > before);
  assert.equal(asked.at(-1)[0], 0);
});

test("few decoded pictures are kept, those near the playhead; the others are closed", async () => {
  const store = build(200);
  const rows = [...Array(100).keys()];
  store.take(...answer(rows));
  for (const row of rows) {
    store.want(row, 1, 1, none);
    await settle();
  }
  assert.ok(store.bitmaps.size <= 48);
  assert.ok(store.bitmaps.has(99));
  assert.ok(!store.bitmaps.has(0));
  assert.ok(closed.includes("picture 0"));
});

test("frames far from the playhead are forgotten once the budget is spent", () => {
  const store = build(200);
  store.center = 0;
  const big = "x".repeat(1e6);
  store.take(...answer([...Array(60).keys()], () => big));
  assert.ok(store.bytes <= 48e6);
  assert.ok(store.jpegs.has(0));
  assert.ok(!store.jpegs.has(59));
});

test("another video forgets everything, also what is still being decoded", async () => {
  const store = build(10);
  store.take(...answer([0]));
  store.decode(0);
  store.clear(5);
  await settle();
  assert.equal(store.bitmaps.size, 0);
  assert.equal(store.jpegs.size, 0);
});

test("the nearest small picture stands in for a frame that has not come", async () => {
  const store = build(100);
  assert.equal(store.standIn(3), null);
  const picture = (row) => new DataView(new TextEncoder().encode(`small ${row}`).buffer);
  await store.takeOverview([40, 80], [picture(40), picture(80)]);
  await store.takeOverview([0], [picture(0)]);
  assert.equal(news.at(-1), null); // may stand in for any frame
  assert.equal(store.standIn(0).text, "small 0");
  assert.equal(store.standIn(19).text, "small 0");
  assert.equal(store.standIn(30).text, "small 40");
  assert.equal(store.standIn(99).text, "small 80");
});
