import assert from "node:assert/strict";
import { test } from "node:test";

import { isShown, Ledger, listSpans } from "../../../utils/labelling/widget/static/logic/ledger.js";

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
  const { state, text } = ledger.describe(0);
  assert.deepEqual([state, text], ["ok", "saved"]);
});

test("what is not answered within two seconds is called not saved", () => {
  const ledger = build();
  ledger.note(label(2, 3, "standing"), 1000);
  assert.equal(ledger.describe(1900).state, "wait");
  const silent = ledger.describe(2600, "alive");
  assert.deepEqual([silent.state, silent.canLabel], ["bad", false]);
  assert.match(silent.text, /^not saved: the kernel does not answer; run this cell again/);
  const busy = ledger.describe(2600, "busy"); // it will answer: label on
  assert.deepEqual([busy.state, busy.canLabel], ["bad", true]);
  assert.match(busy.text, /^not saved yet: 1 waiting for the kernel, which is busy/);
});

test("without a kernel nothing is called saved, and nothing can be labelled", () => {
  const ledger = build();
  for (const [kernel, words] of [["gone", /the kernel is gone; run this cell again$/], ["lost", /no connection/]]) {
    const { state, text, canLabel } = ledger.describe(0, kernel);
    assert.deepEqual([state, canLabel], ["bad", false]);
    assert.match(text, words);
  }
  assert.ok(ledger.describe(0, "alive").canLabel);
});

test("what a lost kernel did not answer is drawn no more and kept to be offered", () => {
  const ledger = build();
  const { seq } = ledger.note(label(1, 2, "sitting"), 0);
  ledger.settle({ seq, ok: true });
  ledger.note(label(2, 3, "standing"), 0);
  ledger.note({ action: "undo", video: "a" }, 0);
  assert.equal(ledger.giveUp(), 2);
  assert.equal(ledger.labelAt(2.5, "a"), null);
  assert.deepEqual(ledger.unwritten, [{ video: "a", start_s: 2, end_s: 3, label: "standing" }]);
  assert.match(ledger.describe(0, "gone").text, /1 not written/);
  assert.equal(ledger.describe(0, "alive").state, "bad");
});

test("after a lost connection only what the labels do not show is offered", () => {
  const ledger = build();
  ledger.note(label(1, 2, "standing"), 0);
  ledger.note(label(4, 5, "standing"), 0);
  ledger.note(label(7, 8, "standing"), 100); // sent since: its answer may still come
  const spans = [[0, 1, "sitting"], [1, 2, "standing"]];
  ledger.giveUp(50, (span) => isShown(spans, span));
  assert.deepEqual(ledger.unwritten.map((s) => s.start_s), [4]);
  assert.equal(ledger.waiting.length, 1);
});

test("the pieces of a stroke are offered as one, other labels and videos apart", () => {
  const pieces = [label(1, 2, "a"), label(2, 2.5, "a"), label(0.5, 1, "a"), label(3, 4, "a")];
  const more = [label(3, 4, "a", "b"), { action: "paint_end" }, { action: "label_many", video: "a", frames: [["a", 1]], label: "c" }];
  assert.deepEqual(listSpans([...pieces, ...more]), [
    { video: "a", start_s: 0.5, end_s: 2.5, label: "a" },
    { video: "a", start_s: 3, end_s: 4, label: "a" },
    { video: "b", start_s: 3, end_s: 4, label: "a" },
    { video: "a", frames: [["a", 1]], label: "c" },
  ]);
});

test("a span is shown if its label covers all of it", () => {
  const spans = [[0, 1, "a"], [1, 2, "a"], [2, 3, "b"]];
  const at = (start_s, end_s, name) => isShown(spans, { start_s, end_s, label: name });
  assert.ok(at(0.5, 2, "a"));
  assert.ok(!at(0.5, 2.5, "a"));
  assert.ok(at(3, 4, null));
  assert.ok(!at(2.5, 4, null));
});

test("an edge between segments that was dragged stays where it is", () => {
  const ledger = build();
  const segments = [[0, 1, true], [1, 2, false]];
  ledger.take({ video: "a", segments });
  ledger.moveSegment("a", 1, 1.2);
  assert.deepEqual(ledger.labels.segments, [[0, 1.2, true], [1.2, 2, false]]);
  ledger.take({ video: "b", segments });
  assert.deepEqual(ledger.labels.segments, segments);
  ledger.take({ video: "a", segments });
  assert.deepEqual(ledger.labels.segments[0], [0, 1.2, true]);
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
  assert.equal(ledger.look("sitting").colour, "#112233");
  assert.equal(ledger.look("unheard of").colour, "#888888");
});

test("an answer to another page's action changes nothing here", () => {
  const ledger = build();
  assert.equal(ledger.settle({ seq: "other-1", ok: true }), undefined);
  assert.equal(ledger.describe(0).state, "ok");
});
