import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Painter } from "../../../utils/labelling/widget/static/painter.js";
import { Player } from "../../../utils/labelling/widget/static/player.js";

const SEGMENTS = [[0, 1, true], [1, 1.4, false], [1.4, 2, true]];

let sent, said, ui, isAlive;

/** A widget without a page: ten frames, five a second, two classes. */
beforeEach(() => {
  sent = [];
  said = [];
  isAlive = true;
  const labels = {
    spans: [],
    segments: SEGMENTS,
    proposals: [[0, 1, "sitting", 0.9]],
    classes: [{ name: "sitting", key: "1" }, { name: "lying", key: "2" }],
    order: "time",
  };
  ui = {
    labels,
    grid: { isOpen: false, asked: undefined },
    saving: { check: () => isAlive },
    labelAt: () => null,
    act: (action) => isAlive && sent.push(action) > 0,
    request: (type) => sent.push({ type }),
    say: (text) => said.push(text),
    showStroke() {},
    showButtons() {},
    paintSoon() {},
  };
  ui.player = new Player(ui);
  ui.painter = new Painter(ui);
  ui.player.open([...Array(10).keys()].map((k) => k / 5), 2, 0);
});

const acts = () => sent.filter((message) => message.action).map(({ action, start_s, end_s, label }) => [action, start_s, end_s, label]);

test("a tap labels the segment in view and goes on to the next still one", () => {
  ui.painter.press(0, false);
  ui.painter.release(0);
  assert.deepEqual(acts(), [["label", 0, 1, "sitting"]]);
  assert.equal(ui.player.row, 7);
});

test("a tap while a segment is looped labels all of it, wherever in it the playhead is", () => {
  ui.player.row = 2;
  ui.player.playing = { time: 0, at: 0, loop: [0, 1] };
  ui.film = { pause() {} };
  ui.painter.press(0, false);
  ui.player.moveTo(4);
  ui.painter.release(0);
  assert.deepEqual(acts(), [["label", 0, 1, "sitting"]]);
  assert.equal(ui.player.playing, null);
});

test("in units of frames a tap labels a step", () => {
  ui.painter.unit = "frame";
  ui.player.stride = 5;
  ui.painter.press(1, false);
  ui.painter.release(1);
  assert.deepEqual(acts(), [["label", 0, 1, "lying"]]);
  assert.equal(ui.player.row, 5);
});

test("a key that is held while the playhead moves paints what it passes", () => {
  ui.painter.press(0, false);
  ui.player.step(1);
  ui.player.step(1);
  ui.painter.release(0);
  assert.deepEqual(acts(), [
    ["paint_begin", 0, 0.2, "sitting"],
    ["paint_to", 0.2, 0.4, "sitting"],
    ["paint_to", 0.4, 0.6, "sitting"],
    ["paint_end", undefined, undefined, undefined],
  ]);
});

test("while playing, a reaction lag paints from before the key was pressed", () => {
  ui.painter.lag_s = 0.4;
  ui.player.open(ui.player.times, 2, 5);
  ui.player.playing = { time: 1, at: 0, loop: null };
  ui.painter.press(0, false);
  ui.player.moveTo(6);
  ui.player.playing = null;
  ui.painter.release(0);
  assert.deepEqual(acts().slice(0, 2), [
    ["paint_begin", 0.6, 0.8, "sitting"],
    ["paint_to", 0.8, 1, "sitting"],
  ]);
});

test("nothing is done, and the playhead stays, where there is no kernel", () => {
  isAlive = false;
  ui.painter.press(0, false);
  ui.painter.release(0);
  ui.painter.accept();
  ui.painter.select([0, 1]);
  ui.painter.labelSelection("sitting");
  assert.deepEqual(acts(), []);
  assert.equal(ui.player.row, 0);
  assert.deepEqual(ui.painter.selection, [0, 1]); // it can be labelled later
});

test("what is chosen comes before the segment in view", () => {
  assert.deepEqual(ui.painter.target, [0, 1]);
  ui.painter.select([0.4, 0.6]);
  assert.deepEqual(ui.painter.target, [0.4, 0.6]);
  ui.painter.press(1, false);
  assert.deepEqual(acts(), [["label", 0.4, 0.6, "lying"]]);
  assert.equal(ui.painter.selection, null);
});

test("two marks choose time, in either order", () => {
  ui.player.moveTo(5);
  ui.painter.mark("end");
  assert.match(said.at(-1), /Mark a start first/);
  ui.painter.mark("start");
  ui.player.moveTo(2);
  ui.painter.mark("end");
  assert.deepEqual(ui.painter.selection, [0.4, 1.2]);
});

test("accepting a proposal says where the page has gone on to", () => {
  ui.painter.accept();
  assert.deepEqual(acts(), [["accept", 0, 1, "sitting"]]);
  assert.equal(sent[0].goes_to, 7);
  assert.equal(ui.player.row, 7);
});

test("what is erased is said, with its time", () => {
  ui.labels.spans = [[0.2, 0.8, "lying"]];
  ui.labelAt = () => "lying";
  ui.player.moveTo(2);
  ui.painter.erase();
  assert.deepEqual(acts(), [["label", 0.2, 0.8, null]]);
  assert.equal(said.at(-1), "Erased lying, 0:00.2 to 0:00.8 (0.6 s).");
});
