import assert from "node:assert/strict";
import { test } from "node:test";

import {
  formatSeconds,
  formatTime,
  inkOn,
  parseTime,
} from "../../../utils/labelling/widget/static/logic/format.js";

test("times have minutes, and hours where there are any", () => {
  assert.equal(formatTime(0), "0:00");
  assert.equal(formatTime(63.9), "1:03");
  assert.equal(formatTime(3600), "1:00:00");
  assert.equal(formatTime(3725.06, 2), "1:02:05.06");
});

test("digits are cut, not rounded up to a time that is not yet", () => {
  assert.equal(formatTime(59.999, 2), "0:59.99");
  assert.equal(formatTime(59.96, 1), "0:59.9");
  assert.equal(formatTime(0.3 - 1e-9, 1), "0:00.3"); // but a float's error is none
});

test("seconds have a digit where it matters", () => {
  assert.equal(formatSeconds(9.44), "9.4 s");
  assert.equal(formatSeconds(12.6), "13 s");
});

test("times are read as they are written, and what is no time is none", () => {
  assert.equal(parseTime("1:03.5"), 63.5);
  assert.equal(parseTime(" 1:00:01 "), 3601);
  assert.equal(parseTime("12,5"), 12.5);
  assert.equal(parseTime(formatTime(3725.06, 2)), 3725.06);
  for (const text of ["", "1:", "a", "-3", "1:2:3:4", "1e3"]) assert.equal(parseTime(text), null);
});

test("ink can be read on its ground", () => {
  assert.equal(inkOn("#f0e442"), "#000000");
  assert.equal(inkOn("#0072b2"), "#ffffff");
  assert.equal(inkOn("#009e73"), "#000000"); // white would stand out by 3.4 : 1 alone
});
