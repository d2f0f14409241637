import assert from "node:assert/strict";
import { test } from "node:test";

import { Ledger } from "../../../utils/labelling/widget/static/logic/ledger.js";

const SPANS = [[0, 1, "sitting"]];

function build() {
  const ledger = new Ledger("view");
  ledger.take({ spans: SPANS, classes: [{ name: "sitting", colour: "#112233" }] });
  return ledger;
}

const label = (start_s, end_s, name, video = "a") => ({
  action: "label",
  video,
  start_s,
  end_s,
  label: name,
});

test("an action is not saved before the kernel has said so", () => {
  const ledger = build();
  const { seq } = ledger.note(label(2, 3, "standing"), 0);
  assert.equal(ledger.describe(0).state, "wait");
  assert.equal(ledger.settle({ seq, ok: true }).label, "standing");
  assert.deepEqual(ledger.describe(0), { state: "ok", text: "saved", mayChange: false });
});

test("what the kernel leaves unanswered is called not saved", () => {
  const ledger = build();
  ledger.note(label(2, 3, "standing"), 1000);
  assert.equal(ledger.describe(4000).state, "wait");
  const { state, text } = ledger.describe(6000);
  assert.equal(state, "bad");
  assert.match(text, /^not saved: 1 waiting for the kernel/);
});

test("a refusal says why until something is saved", () => {
  const ledger = build();
  const { seq } = ledger.note(label(2, 3, "standing"), 0);
  ledger.settle({ seq, ok: false, reason: "the disk is full" });
  assert.equal(ledger.describe(0).text, "not saved: the disk is full");
  assert.equal(ledger.labelAt(2.5, "a"), null);
  const again = ledger.note(label(2, 3, "standing"), 0);
  ledger.settle({ seq: again.seq, ok: true });
  assert.equal(ledger.describe(0).text, "saved");
});

test("labels are shown as they will be, in their own video, the last one on top", () => {
  const ledger = build();
  ledger.note(label(0.5, 3, "standing"), 0);
  ledger.note(label(0.8, 0.9, null), 0);
  assert.equal(ledger.labelAt(0.2, "a"), "sitting");
  assert.equal(ledger.labelAt(0.5, "a"), "standing");
  assert.equal(ledger.labelAt(0.85, "a"), null);
  assert.equal(ledger.labelAt(0.5, "b"), "sitting"); // labels of b, actions on a
  assert.equal(ledger.pendingIn("a").length, 2);
  assert.equal(ledger.pendingIn("b").length, 0);
});

test("what is saved stays drawn until the labels come anew", () => {
  const ledger = build();
  const { seq } = ledger.note(label(2, 3, "standing"), 0);
  ledger.settle({ seq, ok: true });
  assert.equal(ledger.labelAt(2.5, "a"), "standing");
  ledger.take({ spans: [...SPANS, [2, 3, "standing"]] });
  assert.equal(ledger.pending.size, 0);
  assert.equal(ledger.labelAt(2.5, "a"), "standing");
});

test("labels that are sent in part keep the rest", () => {
  const ledger = build();
  ledger.take({ spans: [] });
  assert.equal(ledger.colour("sitting"), "#112233");
  assert.equal(ledger.colour("unheard of"), "#888888");
});

test("an answer to another page's action changes nothing here", () => {
  const ledger = build();
  assert.equal(ledger.settle({ seq: "other-1", ok: true }), undefined);
  assert.equal(ledger.describe(0).state, "ok");
});
