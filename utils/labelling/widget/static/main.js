/* The labelling front end: joins the parts, and speaks with the kernel.
 *
 * Times are seconds. The playhead lives here, so that stepping never waits for the kernel.
 *
 * What the kernel is asked goes out as custom messages, because synced traits coalesce:
 *   ready | open | place | next | set | frames | overview | film | grid | count | doubt | export
 *   act {seq, action, position, ...}
 * and what comes back is
 *   video | labels | frames | overview | film | no_film | grid | count | go | say | turn
 *   done {seq, ok, reason, ...}
 * An action counts as saved only after its `done` has come with `ok`.
 */

import { ClassList } from "./view/classes.js";
import { button, element, select } from "./view/dom.js";
import { Grid } from "./view/grid.js";
import { Input } from "./input.js";
import { formatSeconds } from "./logic/format.js";
import { FrameStore, ROWS_AHEAD } from "./logic/frames.js";
import { COMMANDS, LABEL_BUTTONS, PLAY_BUTTONS, VIDEO_BUTTONS, writeKey } from "./logic/keys.js";
import { Painter } from "./painter.js";
import { Film } from "./view/film.js";
import { Screen } from "./view/picture.js";
import { Player } from "./player.js";
import { Saving } from "./saving.js";
import { Clock, Saying } from "./view/status.js";
import { Timeline } from "./view/timeline.js";
import { Toolbar } from "./view/toolbar.js";

const ORDERS = { time: "next: in time", uncertain: "next: most uncertain", rarest: "next: rarest class" };

const PROGRAMS = { boris: "BORIS", elan: "ELAN", label_studio: "Label Studio", csv: "CSV" };

const FIRST_STEPS =
  "Name your first posture beside the picture, Enter, Esc. Then key 1 labels what is in view.";
// The last action of each way to label.
const LABELLING = new Set(["label", "label_many", "accept", "paint_end"]);
// A notebook goes to its last cell once "run all" has ended, some time after we hear of it.
const SHOW_AGAIN_MS = [0, 300, 1000];

const readDoubles = (b) =>
  new Float64Array(b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength));

class Ui {
  constructor(model, el) {
    this.model = model;
    this.video = null;
    this.shownRows = new Set(); // of the picture and the filmstrip
    this.saving = new Saving(this, model.viewId);
    this.store = new FrameStore(
      (rows) => this.request("frames", { rows }),
      (rows) => this.takeNews(rows)
    );
    this.player = new Player(this);
    this.painter = new Painter(this);
    this.build(el);
    this.input = new Input(this);
    this.watch();
    this.saving.watch(model.manager, el);
    model.on("msg:custom", (message, buffers) => this.hear(message, buffers));
    const { message, buffers } = model.get("opening");
    if (message) this.openVideo(message, buffers);
    this.request("ready", {});
  }

  build(el) {
    const root = (this.root = element("div", "lb-root", el));
    root.tabIndex = 0;
    root.setAttribute("role", "application"); // it takes keys for itself
    root.setAttribute("aria-label", "Labeller: press ? for the keys");
    const head = element("div", "lb-head", root);
    this.title = element("span", "lb-title", head);
    this.nth = element("span", "lb-nth", head);
    this.clock = new Clock(this, head);
    this.saving.build(head, root);
    const middle = element("div", "lb-middle", root);
    const body = element("div", "lb-body", middle);
    this.screen = new Screen(this, body);
    this.film = new Film(this, this.screen.stage);
    this.timeline = new Timeline(this, body);
    this.saying = new Saying(this, body);
    this.grid = new Grid(this, body);
    this.help = element("div", "lb-help", body);
    this.help.tabIndex = 0; // so that keys can scroll it
    this.help.setAttribute("role", "region");
    this.help.setAttribute("aria-label", "Keys");
    this.help.hidden = true;
    this.buildSide(element("div", "lb-side", middle));
    const moving = new Toolbar(this, element("div", "lb-foot", root), PLAY_BUTTONS, "Moving and playing");
    this.toolbars.push(moving);
    this.buildLag(moving.box);
    this.buildExport(moving.box);
  }

  buildSide(side) {
    const videos = element("div", "lb-videos", side);
    this.videos = select(videos, "Video", {}, (video) => this.changeVideo({ video }));
    this.toolbars = [new Toolbar(this, videos, VIDEO_BUTTONS, "Videos", true)];
    this.classes = new ClassList(this, side);
    this.toolbars.push(new Toolbar(this, side, LABEL_BUTTONS, "Labelling", true));
    this.orders = select(side, "Where the next unlabelled span is", ORDERS, (order) => {
      this.labels.order = order;
      this.request("set", { order });
      this.focus();
    });
  }

  /** A person presses a key some time after what it is for was shown. */
  buildLag(parent) {
    const label = element("label", "lb-lag", parent, "reaction lag, s");
    label.title = "While playing, a held class key paints from so long before it was pressed";
    const field = element("input", "lb-field", label);
    Object.assign(field, { type: "number", min: 0, max: 2, step: 0.05, value: 0 });
    field.addEventListener("keydown", (event) => event.key === "Enter" && this.focus());
    field.addEventListener("change", () => {
      this.painter.lag_s = Math.min(Math.max(Number(field.value) || 0, 0), 2);
      field.value = this.painter.lag_s;
    });
  }

  buildExport(parent) {
    const group = element("div", "lb-group", parent);
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "export");
    this.programs = select(group, "Program to export labels for", {}, () => this.focus());
    const write = button(group, "export", "write the labels for this program, beside the labels");
    write.addEventListener("click", () => {
      this.request("export", { program: this.programs.value });
      this.focus();
    });
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

  get ledger() {
    return this.saving.ledger;
  }

  get labels() {
    return this.ledger.labels;
  }

  labelAt(t) {
    return this.ledger.labelAt(t, this.video);
  }

  /** How a class looks: its colour, and the pattern that tells it from others of that colour. */
  look(label) {
    return this.ledger.look(label);
  }

  colour(label) {
    return this.look(label).colour;
  }

  /* ----- messages ----- */

  request(type, content) {
    this.model.send({ type, video: this.video, ...content });
  }

  /** Change to a video by name, or by so many places. */
  changeVideo(which) {
    this.player.stop();
    this.painter.endStroke();
    this.isAskedFor = true;
    this.request("open", which);
    this.focus();
  }

  /**
   * Send an action; it counts as saved when the kernel has acknowledged its number.
   *
   * Returns false, and says why, if there is no kernel to put it on disk.
   */
  act(action) {
    this.saying.clear();
    if (!this.saving.check()) return false;
    const message = { video: this.video, position: this.player.row, ...action };
    this.saving.send(message);
    this.timeline.isOld = true;
    this.paintSoon();
    return true;
  }

  hear(message, buffers) {
    const isHere = message?.video === this.video;
    const hearers = {
      video: () => this.openVideo(message, buffers),
      labels: () => isHere && this.takeLabels(message),
      done: () => this.takeDone(message),
      frames: () => isHere && this.store.take(message.rows, buffers),
      overview: () => isHere && this.store.takeOverview(message.rows, buffers),
      film: () => isHere && this.film.take(message, buffers),
      no_film: () => isHere && this.film.refuse(message.text),
      grid: () => this.grid.open(message, buffers),
      count: () => this.grid.show(message.seconds),
      say: () => this.say(message.text),
      turn: () => this.takeTurn(message.text),
      go: () => isHere && this.player.go(message.position),
    };
    hearers[message?.type]?.();
    if (message?.type === "video") this.saving.takeAnswer();
  }

  openVideo(message, buffers) {
    this.player.stop();
    this.painter.endStroke(); // still in the video before
    const isSame = this.video === message.video && this.player.n === message.n;
    const before = this.video;
    this.video = message.video;
    this.player.open(readDoubles(buffers[0]), message.end_s, message.position);
    this.frameIdx = readDoubles(buffers[1]);
    this.painter.open(message.labels.unit);
    this.screen.open([message.width_px, message.height_px], message.skeleton);
    this.timeline.open(this.player.times[0], message.end_s);
    if (!isSame) this.store.clear(message.n);
    if (!isSame) this.film.open();
    this.saving.open(message.store);
    this.videos.fill(message.videos, message.video);
    if (buffers[3]) this.store.take([message.position], [buffers[2], buffers[3]]);
    this.classes.keys = message.class_keys;
    this.programs.fill(Object.fromEntries(message.programs.map((p) => [p, PROGRAMS[p]])), this.programs.value || message.programs[0]);
    this.title.textContent = message.video;
    const who = message.annotator ? ` · ${message.annotator} labels` : "";
    this.nth.textContent = `video ${message.nth} of ${message.videos.length}${who}`;
    this.root.dataset.video = message.video;
    delete this.root.dataset.painted;
    this.showStroke();
    this.takeLabels(message.labels);
    if (!isSame && message.n > ROWS_AHEAD) this.request("overview", {});
    if (before !== null && before !== this.video && !this.isAskedFor) {
      this.say(`Went on from ${before} to ${this.video}.`, { canUndo: true });
    }
    this.isAskedFor = false;
    if (before === null && !this.hasClasses) this.say(FIRST_STEPS);
  }

  takeLabels(labels) {
    this.ledger.take(labels);
    this.saving.takeLabels();
    this.orders.value = this.labels.order;
    this.showButtons();
    this.timeline.isOld = true;
    this.paintSoon();
  }

  takeDone(done) {
    const { ok, reason, position, text } = done;
    const action = this.saving.settle(done);
    if (ok && action) {
      this.root.dataset.saved = String(Number(this.root.dataset.saved ?? 0) + 1);
      if (LABELLING.has(action.action) && action.label !== null) this.classes.askForSecond();
    } else if (!ok) {
      this.painter.drop();
      this.say(reason, { isError: true });
    }
    // a late answer must not pull the playhead back from where the user has gone since
    const stayed = !action || this.player.row === action.position;
    if (position !== undefined && position !== null && stayed) this.player.go(position);
    if (text) this.say(text);
    this.timeline.isOld = true;
    this.paintSoon();
  }

  get hasClasses() {
    return this.classes.own.length > 0;
  }

  /** A cell below waits for labels: the page comes here. */
  takeTurn(text) {
    this.say(this.hasClasses ? text : `Films, frames and keypoints are done; now label here. ${FIRST_STEPS}`);
    const show = () => {
      this.root.scrollIntoView({ block: "start" });
      this.focus();
    };
    this.shows = SHOW_AGAIN_MS.map((ms) => setTimeout(show, ms));
  }

  /* ----- what is said ----- */

  /** Say what was done, or cannot be; `how` as for `Saying`. */
  say(text, how) {
    this.saying.say(text, how);
  }

  /** A key was pressed for a class that does not exist. */
  askForClass(key) {
    this.say(`There is no class ${key}: type a name.`, { isError: true });
    this.classes.ask();
  }

  clickClass(idx) {
    this.painter.press(idx, !this.painter.hold);
    this.painter.release(idx);
    this.focus();
  }

  run(command) {
    if (this.player.n || command === "help") COMMANDS[command][2](this);
  }

  showStroke() {
    const { stroke, selection } = this.painter;
    const chosen = selection && `${formatSeconds(selection[1] - selection[0])} chosen: press a class`;
    const text = stroke ? `painting ${stroke.label}` : (chosen ?? "");
    this.screen.showStroke(text, stroke ? this.colour(stroke.label) : "");
    this.showButtons();
  }

  showButtons() {
    this.toolbars.forEach((toolbar) => toolbar.show());
    this.classes.show();
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
    this.saying.clear();
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
    this.film.paint();
    this.screen.paint();
    this.timeline.paint();
    this.clock.show();
    this.root.dataset.row = String(player.row);
  }

  dispose() {
    this.saving.dispose();
    this.shows?.forEach(clearTimeout);
    this.grid.close();
    for (const part of [this.player, this.film, this.screen, this.input]) part.dispose();
    this.resizes.disconnect();
    this.themes.disconnect();
    this.store.clear(0);
  }
}

function render({ model, el }) {
  const listeners = [];
  const ui = new Ui(
    {
      viewId: Math.random().toString(36).slice(2, 8),
      manager: model.widget_manager,
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
