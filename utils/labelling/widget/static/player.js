/* The playhead: where it is, how it steps, jumps and plays. It never waits for the kernel.
 *
 * A row, 0 to n - 1, counts the sampled frames of the current video (the session's
 * `position`); it covers the time from its own time stamp to the next.
 */

import { CHOICES } from "./logic/keys.js";
import { clamp, findChange, findUnlabelled, lastAtOrBefore } from "./logic/spans.js";

const REST_MS = 400; // the kernel is told a place once the playhead rests on it

export class Player {
  /** `ui` is the widget that joins the parts. */
  constructor(ui) {
    this.ui = ui;
    this.times = [];
    this.endTime = 0;
    this.row = 0;
    this.direction = 1;
    this.speed = 1;
    this.stride = 1; // frames a step
    this.playing = null; // {time, at, loop}: where and when it began
  }

  /** Take a video's time stamps, with the playhead on a row. */
  open(times, endTime, row) {
    this.times = times;
    this.endTime = endTime;
    this.row = clamp(row, 0, this.n - 1);
  }

  get n() {
    return this.times.length;
  }

  time(row = this.row) {
    return this.n ? this.times[row] : 0;
  }

  end(row = this.row) {
    return row + 1 < this.n ? this.times[row + 1] : this.endTime;
  }

  rowAt(t) {
    return lastAtOrBefore(this.times, t + 1e-6);
  }

  /** The last row of a step from here. */
  get lastOfStep() {
    return clamp(this.row + this.stride - 1, 0, this.n - 1);
  }

  /** Jump to a row: ends a stroke, since the time in between was not looked at. */
  go(row) {
    this.ui.painter.endStroke();
    this.moveTo(clamp(row, 0, this.n - 1));
  }

  goTime(t) {
    if (this.n) this.go(this.rowAt(t));
  }

  changeVideo(move) {
    this.ui.changeVideo({ move });
  }

  step(sign) {
    this.stop();
    this.moveTo(clamp(this.row + sign * this.stride, 0, this.n - 1));
  }

  moveTo(row) {
    if (row === this.row) return;
    const from = this.row;
    this.ui.painter.beforeMove();
    this.direction = row > from ? 1 : -1;
    this.row = row;
    this.ui.painter.afterMove(from);
    this.ui.paintSoon();
    clearTimeout(this.restTimer);
    this.restTimer = setTimeout(() => this.ui.request("place", { position: this.row }), REST_MS);
  }

  goNext() {
    if (this.ui.labels.order !== "time") this.ui.request("next", { position: this.row });
    else this.goUnlabelled(1);
  }

  /** Go to where the next unlabelled span, or segment of one, starts. */
  goUnlabelled(sign) {
    const labelOf = (row) => this.ui.labelAt(this.time(row));
    const { times } = this;
    const row = findUnlabelled(this.row, sign, { times, labelOf, segments: this.ui.labels.segments });
    if (row >= 0) {
      if (sign * (row - this.row) < 0) this.ui.say("From the other end again.");
      return this.go(row);
    }
    if (labelOf(this.row) === null) return this.ui.say("This is the only unlabelled span here.");
    return this.ui.say("All of this video is labelled. N opens the next one.");
  }

  goChange(sign) {
    const labelOf = (row) => this.ui.labelAt(this.time(row));
    const row = findChange(this.row, sign, { n: this.n, labelOf });
    if (row >= 0) return this.go(row);
    return this.ui.say(`No change of label ${sign > 0 ? "after" : "before"} here.`);
  }

  togglePlay() {
    if (this.playing) return this.stop();
    if (!this.n) return;
    if (this.row >= this.n - 1) this.go(0);
    this.play(null);
  }

  /** Play what a class key would label over and over, until it is stopped. */
  toggleLoop() {
    if (this.playing?.loop) return this.stop();
    const [start, end] = this.ui.painter.target;
    this.goTime(start);
    this.play([start, end]);
  }

  play(loop) {
    const isRunning = this.playing !== null;
    this.playing = { time: this.time(), at: performance.now(), loop };
    if (this.ui.film.isOn) this.ui.film.play(this.time(), this.speed);
    this.ui.showButtons();
    if (isRunning) return;
    const tick = () => {
      if (!this.playing) return;
      this.playOn();
      this.playing && requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  /** Move to the frame that is due; wait where it has not come from the kernel yet. */
  playOn() {
    const now = performance.now();
    const { time, at, loop } = this.playing;
    const { film } = this.ui;
    const due = film.isOn ? film.time : time + ((now - at) / 1000) * this.speed;
    if (loop && due >= loop[1]) {
      this.goTime(loop[0]);
      if (film.isOn) film.play(this.time(), this.speed);
      this.playing = { time: this.time(), at: now, loop };
      return this.ui.paintSoon();
    }
    let row = this.rowAt(due);
    while (!film.isOn && row > this.row && !this.ui.store.bitmaps.has(row)) row -= 1;
    if (row > this.row) this.moveTo(row);
    const late = due - this.end();
    if ((this.row >= this.n - 1 && late >= 0) || (film.isOn && film.hasEnded)) return this.stop();
    if (late > 0.25 * this.speed) this.playing = { time: this.end(), at: now, loop };
    return this.ui.paintSoon();
  }

  stop() {
    if (!this.playing) return;
    this.playing = null;
    this.ui.film.pause();
    this.ui.showButtons();
  }

  setSpeed(change) {
    const { values } = CHOICES.speed;
    const i = clamp(values.indexOf(this.speed) + change, 0, values.length - 1);
    this.chooseSpeed(values[i]);
  }

  chooseSpeed(speed) {
    this.speed = speed;
    if (this.playing) this.play(this.playing.loop);
    this.ui.showButtons();
    this.ui.say(`Speed ${speed}×`);
  }

  /** Go on to the next size of a step. */
  setStep() {
    const { values } = CHOICES.step;
    this.chooseStep(values[(values.indexOf(this.stride) + 1) % values.length]);
  }

  chooseStep(stride) {
    this.stride = stride;
    this.ui.showButtons();
    this.ui.paintSoon();
    this.ui.say(`Step ${stride} frame${stride > 1 ? "s" : ""}`);
  }

  dispose() {
    this.stop();
    clearTimeout(this.restTimer);
  }
}
