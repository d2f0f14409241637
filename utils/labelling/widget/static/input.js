/* Keys and the mouse, each turned into a command or a choice of time. */

import { COMMAND_OF_KEY, findClass, isClassKey, nameKey, REPEATING } from "./logic/keys.js";
import { boundaryAt, clamp, moveBoundary, rowsBetween, spanAt } from "./logic/spans.js";
import { RULER_PX, SEGMENTS_PX } from "./view/timeline.js";

const DRAG_PX = 3;
const EDGE_PX = 5; // this near to an edge the pointer takes it
const ZOOM_PX = 400; // of wheel, for a factor of e

export class Input {
  /** `ui` is the widget that joins the parts. */
  constructor(ui) {
    this.ui = ui;
    this.stops = new AbortController();
    const { signal } = this.stops;
    const { screen, timeline, root } = ui;
    window.addEventListener("blur", () => ui.painter.letGo(), { signal });
    screen.film.addEventListener("pointerdown", (event) => this.onFilm(event), { signal });
    for (const band of timeline.bands) {
      const on = (name, hear) =>
        band.box.addEventListener(name, (event) => hear(event, band), { signal, passive: false });
      on("pointerdown", (event) => this.onBand(event, band));
      on("pointermove", (event) => this.onHover(event, band));
      on("wheel", (event) => this.onWheel(event, band));
      on("contextmenu", (event) => this.onRightClick(event, band));
    }
    // no menu of the notebook over what we show; texts keep the browser's own
    root.addEventListener("contextmenu", (event) => {
      event.stopPropagation();
      if (!event.target.closest("input")) event.preventDefault();
    }, { signal });
    screen.stage.addEventListener("pointerdown", () => ui.focus(), { signal });
    root.dataset.lmSuppressShortcuts = "true"; // Lumino's, that is JupyterLab's
  }

  /** The box of buttons around us, made by `panel.py`, or just ourselves. */
  get host() {
    return this.ui.root.closest(".labeller") ?? this.ui.root;
  }

  /** Listen to the box around us, once we are in it. */
  attach() {
    if (this.isAttached || !this.ui.root.isConnected) return;
    this.isAttached = true;
    const { host } = this;
    const { signal } = this.stops;
    host.dataset.lmSuppressShortcuts = "true";
    host.addEventListener("keydown", (event) => this.onKey(event), { signal });
    host.addEventListener("keyup", (event) => this.onKeyUp(event), { signal });
    host.addEventListener("focusout", (event) => {
      if (!host.contains(event.relatedTarget)) this.ui.painter.letGo();
    }, { signal });
  }

  /** Run the command of a key; no key goes on to the notebook. */
  onKey(event) {
    const { ui } = this;
    event.stopPropagation();
    const key = nameKey(event);
    if (event.target.closest("input, textarea, select")) {
      if (key !== "escape") return;
      ui.saying.clear();
      ui.classes.sayWhatKeysDo();
      ui.focus();
      return;
    }
    if (["space", "enter"].includes(key) && event.target.closest("button")) return;
    const idx = findClass(key, ui.labels.classes);
    if (ui.grid.isOpen && ["arrowleft", "arrowright"].includes(key)) {
      ui.grid.move(key === "arrowright" ? 1 : -1);
    } else if (idx !== null) {
      if (!event.repeat) ui.painter.press(idx, key.startsWith("shift+") || !ui.painter.hold);
    } else if (isClassKey(key)) {
      ui.askForClass(key.at(-1));
    } else if (COMMAND_OF_KEY.has(key)) {
      const command = COMMAND_OF_KEY.get(key);
      if (!event.repeat || REPEATING.has(command)) ui.run(command);
    } else if (key === "ctrl+s") {
      ui.say("Labels save themselves, each as it is given.");
    } else if (!["shift+enter", "ctrl+enter", "alt+enter"].includes(key)) {
      return; // the browser's own: tab, copy, reload
    }
    event.preventDefault();
  }

  onKeyUp(event) {
    event.stopPropagation();
    const idx = findClass(nameKey(event), this.ui.labels.classes);
    if (idx !== null) this.ui.painter.release(idx);
  }

  /** Follow the pointer until the button comes up. */
  drag(event, move, up) {
    this.ui.focus();
    event.preventDefault();
    const target = event.currentTarget;
    const startX = event.clientX;
    let isDrag = false; // a shorter way is a click
    target.setPointerCapture(event.pointerId);
    const stop = new AbortController();
    const { signal } = stop;
    target.addEventListener("pointermove", (at) => {
      isDrag ||= Math.abs(at.clientX - startX) > DRAG_PX;
      move(at, isDrag);
    }, { signal });
    const finish = (last) => {
      stop.abort();
      up(last, isDrag);
    };
    target.addEventListener("pointerup", finish, { signal });
    target.addEventListener("pointercancel", finish, { signal });
  }

  /** What of a band is under the pointer: the ruler, an edge of labels or segments, or time. */
  findPart(event, band) {
    const { labels, player, ledger } = this.ui;
    const y = event.clientY - band.box.getBoundingClientRect().top;
    if (y < RULER_PX) return { name: "ruler" };
    const t = band.time(event);
    const isLabels = y < SEGMENTS_PX;
    const spans = isLabels ? (ledger.waiting.length ? [] : labels.spans) : labels.segments;
    const edge = boundaryAt(spans, t, band.seconds(EDGE_PX), player.endTime);
    const isInner = edge && edge.time > 0 && edge.time < player.endTime;
    if (edge && (isLabels || isInner)) return { name: isLabels ? "edge" : "segment", edge };
    return { name: "time" };
  }

  /**
   * Drag the ruler to scrub, an edge to move it, the labels to choose time; a click on
   * them goes there.
   */
  onBand(event, band) {
    const { player, painter } = this.ui;
    if (!player.n || event.button) return;
    player.stop();
    const { name, edge } = this.findPart(event, band);
    const from = band.time(event);
    const actions = {
      ruler: [(t) => player.goTime(t), () => {}],
      edge: [(t) => this.moveEdge(edge, t), () => this.dropEdge()],
      segment: [(t) => this.moveSegment(edge, t), () => {}],
      time: [(t) => this.choose(from, t), () => this.askWhat()],
    };
    const [move, drop] = actions[name];
    band.held = true; // keeps the close-up still while it is dragged on
    if (name === "ruler") player.goTime(from);
    this.drag(
      event,
      (at, isDrag) => (isDrag || name === "ruler") && move(band.time(at)),
      (last, isDrag) => {
        band.held = false;
        if (isDrag) drop();
        else if (name !== "ruler") {
          painter.select(null);
          player.goTime(band.time(last));
        }
        this.ui.paintSoon();
      }
    );
  }

  /** Show the frame at a time that is dragged to; a stroke would paint what it passes. */
  follow(t) {
    const { player, painter } = this.ui;
    if (!painter.stroke) player.moveTo(clamp(player.rowAt(t), 0, player.n - 1));
  }

  /** Choose the frames from time a to time b. */
  choose(a, b) {
    const { player, painter } = this.ui;
    const [first, last] = rowsBetween(player.times, a, b);
    painter.select([player.time(first), player.end(last)]);
    this.follow(b);
  }

  askWhat() {
    const { painter } = this.ui;
    if (painter.stroke?.latch) painter.labelSelection(painter.stroke.label);
    else if (painter.selection) this.ui.say("Now press a class, Backspace to erase, Esc to drop.");
  }

  /** An edge lies between frames: where the nearest frame begins, or at the end. */
  snap(t) {
    const { player } = this.ui;
    const row = clamp(player.rowAt(t), 0, player.n - 1);
    return t - player.time(row) < player.end(row) - t ? player.time(row) : player.end(row);
  }

  moveEdge(edge, t) {
    const to = this.snap(t);
    this.follow(to);
    this.ui.timeline.setPreview(moveBoundary(edge, to));
  }

  dropEdge() {
    const { timeline, painter } = this.ui;
    const { preview } = timeline;
    timeline.setPreview(null);
    if (preview) painter.moveBoundary(preview);
  }

  moveSegment(edge, t) {
    const to = clamp(this.snap(t), edge.low + 1e-3, edge.high - 1e-3);
    this.ui.ledger.moveSegment(this.ui.video, edge.time, to);
    edge.time = to;
    this.follow(to);
    this.ui.timeline.isOld = true;
  }

  /** The pointer says what it would drag. */
  onHover(event, band) {
    if (event.buttons || !this.ui.player.n) return;
    const cursor = { ruler: "ew-resize", edge: "col-resize", segment: "col-resize", time: "crosshair" };
    band.box.style.cursor = cursor[this.findPart(event, band).name];
  }

  /** The wheel zooms; with shift, or sideways, it moves what is in view. */
  onWheel(event, band) {
    event.preventDefault();
    const { timeline } = this.ui;
    const across = event.deltaX || (event.shiftKey ? event.deltaY : 0);
    if (across) timeline.pan(band, across);
    else timeline.zoom(band, band.time(event), Math.exp(event.deltaY / ZOOM_PX));
  }

  /** A right click chooses the label under it. */
  onRightClick(event, band) {
    const { labels, painter } = this.ui;
    const span = spanAt(labels.spans, band.time(event));
    this.ui.focus();
    if (!span) return;
    painter.select([span[0], span[1]]);
    this.ui.say(`${span[2]} is chosen: press a class to change it, Backspace to erase, Esc to drop.`);
  }

  onFilm(event) {
    const { player, screen } = this.ui;
    if (!player.n || event.button) return;
    this.ui.focus();
    event.preventDefault();
    const row = screen.rowAt(event);
    if (row < 0) return;
    player.stop();
    player.go(row);
  }

  dispose() {
    this.stops.abort();
  }
}
