import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Steady } from "../../../utils/live/static/steady.js";

const table = JSON.parse(readFileSync(new URL("../../predict/steady_cases.json", import.meta.url)));

for (const item of table.cases) {
  test(`steady: ${item.name}`, () => {
    const pair = item.pair && item.pair.map((label) => table.labels.indexOf(label));
    const steady = new Steady(table.labels.length, {
      noneBelow: item.none_below,
      gap: item.gap_s,
      pair,
    });
    item.time_s.forEach((time, i) => {
      const found = steady.update(time, item.probabilities[i]);
      const where = `at ${time} s`;
      assert.equal(found.label === null ? null : table.labels[found.label], item.label[i], where);
      assert.ok(Math.abs(found.held - item.held_s[i]) < 1e-6, where);
      assert.equal(found.repetitions, item.n_repetitions[i], where);
      assert.equal(found.shown, item.n_shown[i], where);
    });
  });
}
