/* Labelling: what a class key does to a segment, a step, a chosen span or a stroke. */

import { formatSeconds, formatTime } from "./logic/format.js";
import { findOpenSegment, spanAt } from "./logic/spans.js";

export class Painter {
  /** `ui` is the widget that joins the parts. */
  constructor(ui) {
    this.ui = ui;
    this.unit = "segment"; // or "frame": what a class key labels
    this.hold = true; // false: a class key starts painting, the next press ends it
    this.held = null; // the class key that is down
    this.stroke = null; // what is being painted
    this.selection = null;
    this.markedStart = null;
    this.lag_s = 0; // how long after seeing a change the key is pressed, while playing
  }

  /** Another video is shown: what was chosen in the last one is dropped. */
  open(unit) {
    this.unit = unit;
    this.selection = this.markedStart = null;
  }

  /** A class key goes down: label what is chosen, or wait whether it is held. */
  press(idx, latch) {
    const label = this.ui.labels.classes[idx]?.name;
    if (label === undefined || !this.ui.saving.check()) return;
    if (this.ui.grid.isOpen) return this.ui.grid.label(label);
    if (this.selection) return this.labelSelection(label);
    const again = this.stroke?.latch && this.stroke.label === label;
    this.endStroke();
    if (again) return this.ui.showStroke();
    this.held = { idx, label, latch };
    const { playing } = this.ui.player;
    if (latch || (playing && !playing.loop)) this.beginStroke();
    return this.ui.showStroke();
  }

  /** It comes up: a stroke ends here; without a stroke it was a tap. */
  release(idx) {
    if (this.held?.idx !== idx || this.held.latch) return;
    const { label } = this.held;
    this.held = null;
    if (this.stroke) this.endStroke();
    else if (this.ui.player.playing?.loop) this.labelLoop(label);
    else this.tap(label);
  }

  /** The focus leaves while a class key is down: its key-up will not reach us. */
  letGo() {
    if (this.held) this.release(this.held.idx);
  }

  /** The kernel refused: what follows of a stroke is refused too. */
  drop() {
    this.held = this.stroke = null;
  }

  /** What a class key would label: what is chosen, the segment in view, or a step. */
  get target() {
    const { player, labels } = this.ui;
    if (this.selection) return this.selection;
    const segment = this.unit === "segment" && spanAt(labels.segments, player.time());
    const [start, end] = segment || [player.time(), player.end(player.lastOfStep)];
    return [start, end];
  }

  /** Label the segment in view, or a step of frames, and go on to the next. */
  tap(label) {
    const { player, labels } = this.ui;
    if (this.unit === "segment" && labels.is_partial) {
      return this.ui.say("Still looking for the segments of this video. S labels frames.");
    }
    const isSegment = this.unit === "segment" && spanAt(labels.segments, player.time()) !== null;
    const last = player.lastOfStep;
    const [start, end] = this.target;
    if (!this.ui.act({ action: "label", start_s: start, end_s: end, label })) return;
    return isSegment ? this.advance() : player.go(last + 1);
  }

  /** What is played over and over is what a class key labels; then on to the next. */
  labelLoop(label) {
    const { player } = this.ui;
    const [start, end] = player.playing.loop;
    player.stop();
    if (!this.ui.act({ action: "label", start_s: start, end_s: end, label })) return;
    this.advance();
  }

  /** Row of the next still pose without label, in this video; -1 if there is none. */
  findOpen() {
    const { player, labels } = this.ui;
    if (labels.order !== "time") return -1;
    const start = findOpenSegment(labels.segments, player.time(), (t) => this.ui.labelAt(t));
    return start === null ? -1 : player.rowAt(start + 1e-3);
  }

  /** After a segment is labelled go on to the next, in another video if need be. */
  advance() {
    const { player } = this.ui;
    const row = this.findOpen();
    if (row >= 0) player.go(row);
    else this.ui.request("next", { position: player.row });
  }

  beginStroke() {
    this.stroke = this.held;
    this.held = this.held.latch ? null : this.held;
    const row = this.lagged(this.ui.player.row);
    this.paintSpan("paint_begin", this.ui.player.time(row), this.ui.player.end(row));
    this.ui.showStroke();
  }

  beforeMove() {
    if (this.held && !this.stroke && !this.ui.player.playing?.loop) this.beginStroke();
  }

  /** While painting, the time the playhead has passed since row `from` takes the class. */
  afterMove(from) {
    if (!this.stroke) return;
    const { player } = this.ui;
    const [before, here] = [this.lagged(from), this.lagged(player.row)];
    if (before === here) return;
    const [low, high] = before < here ? [before + 1, here] : [here, before - 1];
    this.paintSpan("paint_to", player.time(low), player.end(high));
  }

  /** The row that was shown when a person saw what they press the key for now. */
  lagged(row) {
    const { player } = this.ui;
    if (!player.playing || !this.lag_s) return row;
    return Math.max(player.rowAt(player.time(row) - this.lag_s * player.speed), 0);
  }

  paintSpan(action, start, end) {
    this.ui.act({ action, start_s: start, end_s: end, label: this.stroke.label });
  }

  endStroke() {
    this.held = null;
    if (!this.stroke) return;
    this.stroke = null;
    this.ui.act({ action: "paint_end" });
    this.ui.showStroke();
  }

  labelSelection(label) {
    const [start, end] = this.selection;
    if (!this.ui.act({ action: "label", start_s: start, end_s: end, label })) return;
    this.select(null);
    const what = label === null ? "Erased" : label;
    this.ui.say(`${what}: ${formatTime(start, 1)} to ${formatTime(end, 1)}.`, { canUndo: true });
  }

  /** Give the time that a dragged boundary has passed to the label that grows. */
  moveBoundary([start, end, label]) {
    if (!this.ui.act({ action: "label", start_s: start, end_s: end, label })) return;
    const what = label === null ? "Less is labelled" : `More ${label}`;
    this.ui.say(`${what}: ${formatTime(start, 1)} to ${formatTime(end, 1)}.`, { canUndo: true });
  }

  select(selection) {
    this.selection = selection;
    if (!selection) this.markedStart = null;
    this.ui.showStroke();
    this.ui.paintSoon();
  }

  /** What is chosen, or being chosen from a marked start on. */
  get chosen() {
    if (this.selection || this.markedStart === null) return this.selection;
    return [this.markedStart, this.ui.player.end()].sort((a, b) => a - b);
  }

  mark(side) {
    const { player } = this.ui;
    if (side === "start") {
      this.markedStart = player.time();
      this.selection = null;
      this.ui.paintSoon();
      return this.ui.say("Start marked. Go to the end and press O.");
    }
    if (this.markedStart === null) return this.ui.say("Mark a start first: press I there.");
    const marks = [this.markedStart, player.time()].sort((a, b) => a - b);
    return this.select([marks[0], player.end(player.rowAt(marks[1]))]);
  }

  erase() {
    const { player, labels } = this.ui;
    const here = this.ui.labelAt(player.time());
    if (this.selection) return this.labelSelection(null);
    if (here === null) return this.ui.say("Nothing is labelled here.");
    const span = this.unit === "segment" && spanAt(labels.spans, player.time());
    const [start, end] = span || [player.time(), player.end(player.lastOfStep)];
    if (!this.ui.act({ action: "label", start_s: start, end_s: end, label: null })) return;
    const when = `${formatTime(start, 1)} to ${formatTime(end, 1)}`;
    this.ui.say(`Erased ${here}, ${when} (${formatSeconds(end - start)}).`, { canUndo: true });
  }

  accept() {
    const { player, labels, grid } = this.ui;
    if (grid.asked !== undefined) return grid.label(grid.asked);
    const proposal = spanAt(labels.proposals, player.time());
    if (!proposal) return this.ui.say(labels.why_no_proposal || "Nothing is proposed here.");
    const [start, end, label] = proposal;
    const row = this.findOpen();
    const goesTo = row >= 0 ? row : null; // null: the kernel says where it goes on
    const action = { action: "accept", start_s: start, end_s: end, label, goes_to: goesTo };
    return this.ui.act(action) && goesTo !== null && player.go(goesTo);
  }

  toggleUnit() {
    this.unit = this.unit === "segment" ? "frame" : "segment";
    this.ui.request("set", { unit: this.unit });
    this.ui.showButtons();
    this.ui.say(`A class key now labels the ${this.unit}.`);
  }

  toggleHold() {
    this.hold = !this.hold;
    this.endStroke();
    this.ui.showButtons();
    this.ui.say(this.hold ? "Class keys paint while held." : "A class key paints until pressed again.");
  }
}
