import assert from "node:assert/strict";
import { test } from "node:test";

import {
  boundaryAt,
  clamp,
  findChange,
  findOpenSegment,
  findUnlabelled,
  lastAtOrBefore,
  moveBoundary,
  rowsBetween,
  spanAt,
} from "../../../utils/labelling/widget/static/logic/spans.js";

const TIMES = [0, 0.2, 0.4, 0.6, 0.8, 1]; // six frames

/** Labels of the rows, one letter each; "." is none. */
const labelled = (letters) => (row) => (letters[row] === "." ? null : letters[row]);

test("clamp keeps what is inside and stops at the ends", () => {
  assert.deepEqual([-1, 0, 3, 9].map((x) => clamp(x, 0, 5)), [0, 0, 3, 5]);
});

test("lastAtOrBefore finds the frame that a time belongs to", () => {
  assert.equal(lastAtOrBefore(TIMES, -0.1), -1);
  assert.equal(lastAtOrBefore(TIMES, 0.4), 2);
  assert.equal(lastAtOrBefore(TIMES, 0.59), 2);
  assert.equal(lastAtOrBefore(TIMES, 99), 5);
  assert.equal(lastAtOrBefore([], 1), -1);
});

test("a span covers its start and not its end", () => {
  const spans = [[0, 1, "a"], [1, 2, "b"], [5, 6, "c"]];
  assert.equal(spanAt(spans, 1)[2], "b");
  assert.equal(spanAt(spans, 0.999)[2], "a");
  for (const t of [-1, 2, 4.9, 6]) assert.equal(spanAt(spans, t), null);
  assert.equal(spanAt([], 0), null);
});

test("rowsBetween takes the frames under both ends, whichever comes first", () => {
  assert.deepEqual(rowsBetween(TIMES, 0.25, 0.65), [1, 3]);
  assert.deepEqual(rowsBetween(TIMES, 0.65, 0.25), [1, 3]);
  assert.deepEqual(rowsBetween(TIMES, -5, -4), [0, 0]);
  assert.deepEqual(rowsBetween(TIMES, 0.9, 9), [4, 5]);
});

test("findUnlabelled goes to where unlabelled time starts, and round the end", () => {
  const find = (row, sign, letters, segments = []) =>
    findUnlabelled(row, sign, { times: TIMES, labelOf: labelled(letters), segments });
  assert.equal(find(0, 1, "aa..a."), 2);
  assert.equal(find(2, 1, "aa..a."), 5);
  assert.equal(find(5, 1, "aa..a."), 2);
  assert.equal(find(5, -1, "aa..a."), 2);
  assert.equal(find(0, 1, "aaaaaa"), -1);
  assert.equal(find(2, 1, "aa...."), -1); // it is the only one, and we are there
  assert.equal(find(3, 1, "......"), 0);
});

test("findUnlabelled stops at each segment of unlabelled time", () => {
  const segments = [[0, 0.4, true], [0.4, 0.8, false], [0.8, 1.2, true]];
  const labelOf = labelled("......");
  const find = (row, sign) => findUnlabelled(row, sign, { times: TIMES, labelOf, segments });
  assert.equal(find(0, 1), 2);
  assert.equal(find(2, 1), 4);
  assert.equal(find(4, 1), 0);
  assert.equal(find(3, -1), 2);
});

test("findChange stops where the label differs from the frame before", () => {
  const find = (row, sign) => findChange(row, sign, { n: 6, labelOf: labelled("aab..b") });
  assert.equal(find(0, 1), 2);
  assert.equal(find(2, 1), 3);
  assert.equal(find(3, 1), 5);
  assert.equal(find(5, 1), -1);
  assert.equal(find(5, -1), 3);
  assert.equal(find(2, -1), 0); // the first frame has nothing before it
});

test("findOpenSegment skips moving, labelled and earlier segments", () => {
  const segments = [[0, 1, true], [1, 2, false], [2, 3, true], [3, 4, true]];
  const labelAt = (t) => (t > 2 && t < 3 ? "sitting" : null);
  assert.equal(findOpenSegment(segments, 0, labelAt), 3);
  assert.equal(findOpenSegment(segments, -1, labelAt), 0);
  assert.equal(findOpenSegment(segments, 3, labelAt), null);
});

const SPANS = [[1, 2, "a"], [2, 4, "b"], [6, 7, "a"]];

test("a boundary is found by what it lies between, and how far it can go", () => {
  assert.deepEqual(boundaryAt(SPANS, 2.1, 0.2, 10), { time: 2, before: "a", after: "b", low: 1, high: 4 });
  assert.deepEqual(boundaryAt(SPANS, 0.9, 0.2, 10), { time: 1, before: null, after: "a", low: 0, high: 2 });
  assert.deepEqual(boundaryAt(SPANS, 7, 0.2, 10), { time: 7, before: "a", after: null, low: 6, high: 10 });
  assert.equal(boundaryAt(SPANS, 3, 0.2, 10), null);
  assert.equal(boundaryAt([], 3, 0.2, 10), null);
});

test("a moved boundary gives what it passes to the label that grows", () => {
  const between = boundaryAt(SPANS, 2, 0.1, 10);
  assert.deepEqual(moveBoundary(between, 3), [2, 3, "a"]);
  assert.deepEqual(moveBoundary(between, 1.5), [1.5, 2, "b"]);
  assert.deepEqual(moveBoundary(between, 99), [2, 4, "a"]);
  assert.equal(moveBoundary(between, 2), null);
  const end = boundaryAt(SPANS, 4, 0.1, 10);
  assert.deepEqual(moveBoundary(end, 5), [4, 5, "b"]);
  assert.deepEqual(moveBoundary(end, 3), [3, 4, null]); // less is labelled
});
