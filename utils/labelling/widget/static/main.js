/* The labelling front end: joins the parts, and speaks with the kernel.
 *
 * Times are seconds. The playhead lives here, so that stepping never waits for the kernel.
 *
 * What the kernel is asked goes out as custom messages, because synced traits coalesce:
 *   ready | open | place | next | set | frames | overview | grid | count | doubt
 *   act {seq, action, position, ...}
 * and what comes back is
 *   video | labels | frames | overview | grid | count | go | say
 *   done {seq, ok, reason, ...}
 * An action counts as saved only after its `done` has come with `ok`.
 */

import { element } from "./dom.js";
import { Grid } from "./grid.js";
import { Input } from "./input.js";
import { formatSeconds, formatTime } from "./logic/format.js";
import { FrameStore, ROWS_AHEAD } from "./logic/frames.js";
import { COMMANDS, writeKey } from "./logic/keys.js";
import { Ledger } from "./logic/ledger.js";
import { Painter } from "./painter.js";
import { Screen } from "./picture.js";
import { Player } from "./player.js";
import { Timeline } from "./timeline.js";

const readDoubles = (b) =>
  new Float64Array(b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength));

class Ui {
  constructor(model, el) {
    this.model = model;
    this.video = null;
    this.shownRows = new Set(); // of the picture and the filmstrip
    this.ledger = new Ledger(model.viewId);
    this.store = new FrameStore(
      (rows) => this.request("frames", { rows }),
      (rows) => this.takeNews(rows)
    );
    this.player = new Player(this);
    this.painter = new Painter(this);
    this.build(el);
    this.input = new Input(this);
    this.watch();
    this.showSaved();
    model.on("msg:custom", (message, buffers) => this.hear(message, buffers));
    const { message, buffers } = model.get("opening");
    if (message) this.hear(message, buffers);
    this.request("ready", {});
  }

  build(el) {
    const root = (this.root = element("div", "lb-root", el));
    root.tabIndex = 0;
    root.setAttribute("aria-label", "Labeller: press ? for the keys");
    const head = element("div", "lb-head", root);
    this.title = element("span", "lb-title", head);
    this.nth = element("span", "lb-nth", head);
    this.clock = element("span", "lb-clock", head);
    this.saved = element("span", "lb-saved", head);
    this.saved.setAttribute("role", "status");
    const body = element("div", "lb-body", root);
    this.screen = new Screen(this, body);
    this.toast = element("div", "lb-toast", this.screen.stage);
    this.timeline = new Timeline(this, body);
    this.grid = new Grid(this, body);
    this.help = element("div", "lb-help", body);
    this.help.hidden = true;
  }

  /** Draw anew when the size or the theme changes. */
  watch() {
    const repaint = () => {
      this.input.attach();
      this.timeline.isOld = true;
      this.paintSoon();
    };
    this.resizes = new ResizeObserver(repaint);
    this.resizes.observe(this.screen.stage);
    this.themes = new MutationObserver(repaint);
    this.themes.observe(document.body, { attributeFilter: ["data-jp-theme-light", "class"] });
  }

  focus() {
    this.root.focus({ preventScroll: true });
  }

  get labels() {
    return this.ledger.labels;
  }

  labelAt(t) {
    return this.ledger.labelAt(t, this.video);
  }

  colour(label) {
    return this.ledger.colour(label);
  }

  /* ----- messages ----- */

  request(type, content) {
    this.model.send({ type, video: this.video, ...content });
  }

  /** Send an action; it counts as saved when the kernel has acknowledged its number. */
  act(action) {
    const message = { video: this.video, position: this.player.row, ...action };
    this.request("act", this.ledger.note(message, performance.now()));
    this.showSaved();
    this.timeline.isOld = true;
    this.paintSoon();
  }

  hear(message, buffers) {
    const isHere = message?.video === this.video;
    const hearers = {
      video: () => this.openVideo(message, buffers),
      labels: () => isHere && this.takeLabels(message),
      done: () => this.takeDone(message),
      frames: () => isHere && this.store.take(message.rows, buffers),
      overview: () => isHere && this.store.takeOverview(message.rows, buffers),
      grid: () => this.grid.open(message, buffers),
      count: () => this.grid.show(message.seconds),
      say: () => this.say(message.text),
      go: () => isHere && this.player.go(message.position),
    };
    hearers[message?.type]?.();
  }

  openVideo(message, buffers) {
    this.player.stop();
    this.painter.endStroke(); // still in the video before
    const isSame = this.video === message.video && this.player.n === message.n;
    this.video = message.video;
    this.player.open(readDoubles(buffers[0]), message.end_s, message.position);
    this.frameIdx = readDoubles(buffers[1]);
    this.painter.open(message.labels.unit);
    this.screen.open([message.width_px, message.height_px], message.skeleton);
    this.timeline.open(message.end_s);
    if (!isSame) this.store.clear(message.n);
    if (buffers[3]) this.store.take([message.position], [buffers[2], buffers[3]]);
    this.title.textContent = message.video;
    const who = message.annotator ? ` · ${message.annotator} labels` : "";
    this.nth.textContent = `video ${message.nth} of ${message.n_videos}${who}`;
    this.root.dataset.video = message.video;
    delete this.root.dataset.painted;
    this.showStroke();
    this.takeLabels(message.labels);
    if (!isSame && message.n > ROWS_AHEAD) this.request("overview", {});
  }

  takeLabels(labels) {
    this.ledger.take(labels);
    this.showButtons();
    this.timeline.isOld = true;
    this.paintSoon();
  }

  takeDone(done) {
    const action = this.ledger.settle(done);
    const { ok, reason, position, text } = done;
    if (ok && action) {
      this.root.dataset.saved = String(Number(this.root.dataset.saved ?? 0) + 1);
    } else if (!ok) {
      this.painter.drop();
      this.say(reason, true);
    }
    // a late answer must not pull the playhead back from where the user has gone since
    const stayed = !action || this.player.row === action.position;
    if (position !== undefined && position !== null && stayed) this.player.go(position);
    if (text) this.say(text);
    this.showSaved();
    this.timeline.isOld = true;
    this.paintSoon();
  }

  /* ----- what is said ----- */

  showSaved() {
    const { state, text, mayChange } = this.ledger.describe(performance.now());
    this.saved.dataset.state = state;
    this.saved.textContent = text;
    this.saved.title = text;
    clearTimeout(this.savedTimer);
    if (mayChange) this.savedTimer = setTimeout(() => this.showSaved(), 500);
  }

  say(text, isError = false) {
    this.toast.textContent = text;
    this.toast.classList.toggle("lb-error", isError);
    this.toast.classList.add("lb-shown");
    clearTimeout(this.toastTimer);
    const ms = isError ? 9000 : 2600;
    this.toastTimer = setTimeout(() => this.toast.classList.remove("lb-shown"), ms);
  }

  showStroke() {
    const { stroke, selection } = this.painter;
    const chosen = selection && `${formatSeconds(selection[1] - selection[0])} chosen: press a class`;
    const text = stroke ? `painting ${stroke.label}` : (chosen ?? "");
    this.screen.showStroke(text, stroke ? this.colour(stroke.label) : "");
    this.showButtons();
  }

  showButtons() {
    this.input?.showButtons();
  }

  toggleHelp() {
    this.help.hidden = !this.help.hidden;
    if (!this.help.hidden) this.fillHelp();
    this.showButtons();
  }

  fillHelp() {
    this.help.replaceChildren();
    const row = (keys, words) => {
      const line = element("div", "lb-help-row", this.help);
      const box = element("span", "lb-help-keys", line);
      keys.forEach((key) => element("kbd", "lb-kbd", box, writeKey(key)));
      element("span", "", line, words);
    };
    this.labels.classes.forEach((c) => c.key && row([c.key], c.name));
    row(["shift+1"], "paint a class until pressed again");
    for (const [keys, words] of Object.values(COMMANDS)) row(keys.slice(0, 1), words);
  }

  cancel() {
    this.painter.endStroke();
    this.player.stop();
    this.grid.close();
    this.help.hidden = true;
    this.painter.select(null);
  }

  /* ----- painting the screen ----- */

  paintSoon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.paint();
    });
  }

  /** Frames have come: paint them if they are shown, else only ask for more. */
  takeNews(rows) {
    if (!rows || rows.some((row) => this.shownRows.has(row))) return this.paintSoon();
    this.asking ??= setTimeout(() => {
      this.asking = null;
      this.wantMore();
    });
  }

  wantMore() {
    const { row, direction, stride } = this.player;
    this.store.want(row, direction, stride, this.shownRows);
  }

  paint() {
    const { player } = this;
    if (!player.n || !this.screen.stage.clientWidth) return;
    this.shownRows = this.screen.shownRows;
    this.wantMore();
    this.screen.paint();
    this.timeline.paint();
    const t = formatTime(player.time(), 2);
    this.clock.textContent =
      `${t} of ${formatTime(player.endTime, 1)} · frame ${this.frameIdx[player.row]}`;
    this.root.dataset.row = String(player.row);
  }

  dispose() {
    this.grid.close();
    for (const part of [this.player, this.screen, this.input]) part.dispose();
    this.resizes.disconnect();
    this.themes.disconnect();
    this.store.clear(0);
    for (const name of ["saved", "toast"]) clearTimeout(this[`${name}Timer`]);
  }
}

function render({ model, el }) {
  const listeners = [];
  const ui = new Ui(
    {
      viewId: Math.random().toString(36).slice(2, 8),
      get: (name) => model.get(name),
      send: (message) => model.send(message),
      on: (name, hear) => {
        listeners.push([name, hear]);
        model.on(name, hear);
      },
    },
    el
  );
  el.labeller = ui; // the browser tests look at it
  return () => {
    for (const [name, hear] of listeners) model.off(name, hear);
    ui.dispose();
  };
}

export default { render };
