import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { checkModel, predict } from "../../../utils/live/static/classifier.js";

const text = readFileSync(new URL("../../export/demo_model.json", import.meta.url), "utf-8");
const read = () => JSON.parse(text);

const poseOf = (model, check) =>
  Float64Array.from(model.keypoints.flatMap((name) => check.keypoints[name]));

test("a model as it was written is taken, and gives its own answers", async () => {
  const model = await checkModel(read());
  for (const check of model.checks) {
    const shares = predict(model, poseOf(model, check), ...check.size_wh);
    model.labels.forEach((label, i) => {
      assert.ok(Math.abs(shares[i] - check.probabilities[label]) <= 1e-5, label);
    });
  }
});

test("a pose unlike all that was learnt is none of these", () => {
  const model = read();
  const [check] = model.checks;
  const columns = model.features.columns;
  const unlike = columns.reduce((sum, name) => sum + check.features[name] ** 2, 0);
  const root = columns.map((_, i) => columns.map((_, j) => (i === j ? 1 : 0)));
  const far = columns.map(() => 100);
  const doubt = { roots: [root, root], offsets: [columns.map(() => 0), far], log_dets: [2, 3] };
  for (const [more, isNone] of [[1e-4, false], [-1e-4, true]]) {
    model.doubt = { ...doubt, threshold: 2 + unlike + more };
    const shares = predict(model, poseOf(model, check), ...check.size_wh);
    assert.equal(Math.max(...shares) === 0, isNone);
  }
});

const swap = (list, a, b) => {
  [list[a], list[b]] = [list[b], list[a]];
};

const damages = {
  "labels swapped": (model) => swap(model.labels, 0, 1),
  "weights swapped": (model) => swap(model.weights, 3, 4),
  "keypoints swapped": (model) => swap(model.keypoints, 5, 6),
  "columns swapped": (model) => swap(model.features.columns, 0, 1),
  "a keypoint renamed": (model) => {
    model.keypoints[3] = "left_era";
  },
  "a weight changed": (model) => {
    model.weights[10][1] += 0.5;
  },
  "a weight missing": (model) => {
    model.weights.pop();
  },
  "a sentence changed": (model) => {
    model.tested_on.sentence = "Always right.";
  },
  "another rule": (model) => {
    model.features.rule = "torso";
  },
  "another temperature": (model) => {
    model.temperature *= 2;
  },
  "another version": (model) => {
    model.version = 99;
  },
  "no answers": (model) => {
    delete model.checks;
  },
  "an answer that is no number": (model) => {
    model.checks[0].logits[model.labels[0]] = "a";
  },
  "something else": (model) => {
    delete model.format;
  },
};

for (const [name, damage] of Object.entries(damages)) {
  test(`refused with a sentence: ${name}`, async () => {
    const model = read();
    damage(model);
    await assert.rejects(checkModel(model), /^Error: model\.json cannot be used: .+\. It was changed/);
  });
}
