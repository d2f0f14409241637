import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Unwritten } from "../../../utils/labelling/widget/static/logic/unwritten.js";

const SPAN = { video: "a", start_s: 1, end_s: 2, label: "sitting" };

let kept;
const storage = {
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, text) => kept.set(key, text),
  removeItem: (key) => kept.delete(key),
};

beforeEach(() => {
  kept = new Map();
});

function open(viewId, file = "labels.csv", on = storage) {
  const made = new Unwritten(on, viewId);
  made.open(file);
  return made;
}

test("what one page left another one takes over, once", () => {
  open("old").keep([SPAN], 0, true);
  assert.deepEqual(open("new").take(1), [SPAN]);
  assert.deepEqual(open("third").take(1), []);
  assert.equal(kept.size, 0);
});

test("a page that lives keeps its own, one that has crashed does not", () => {
  open("living").keep([SPAN], 1000);
  assert.deepEqual(open("new").take(2000), []);
  assert.deepEqual(open("new").take(200_000), [SPAN]);
});

test("what was written meanwhile is not kept", () => {
  const page = open("page");
  page.keep([SPAN], 0);
  page.keep([], 0);
  assert.equal(kept.size, 0);
});

test("labels of another file are not offered here", () => {
  open("old", "one.csv").keep([SPAN], 0, true);
  assert.deepEqual(open("new", "two.csv").take(1), []);
});

test("a browser that keeps nothing is no error", () => {
  const full = { ...storage, setItem: () => { throw new Error("full"); } };
  open("page", "labels.csv", full).keep([SPAN], 0, true);
  open("page", "labels.csv", null).keep([SPAN], 0, true);
  assert.deepEqual(open("new").take(1), []);
});
