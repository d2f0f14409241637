/* The time line: the whole video, and a close-up around the playhead where that is tight. */

import { element, fillLook, hatch, prepareCanvas } from "./dom.js";
import { formatTime, inkOn } from "../logic/format.js";
import { clamp } from "../logic/spans.js";

export const RULER_PX = 16; // above the labels
export const SEGMENTS_PX = 42; // below them, from here on
const LEAST_ROWS = 10; // no closer up than that

/** A part of the time line, from t0 to t1 over the width of its canvas. */
class Band {
  constructor(parent, title) {
    this.box = element("div", "lb-band", parent);
    this.box.title = title;
    this.canvas = element("canvas", "lb-band-canvas", this.box);
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", title);
    this.target = element("div", "lb-target", this.box);
    this.chosen = element("div", "lb-chosen", this.box);
    this.playhead = element("div", "lb-playhead", this.box);
    this.range(0, 1);
  }

  range(t0, t1) {
    this.t0 = t0;
    this.t1 = Math.max(t1, t0 + 1e-3);
  }

  x(t) {
    return ((t - this.t0) / (this.t1 - this.t0)) * this.canvas.clientWidth;
  }

  time(event) {
    const box = this.canvas.getBoundingClientRect();
    const share = clamp((event.clientX - box.left) / box.width, 0, 1);
    return this.t0 + share * (this.t1 - this.t0);
  }

  /** Seconds that so many pixels stand for. */
  seconds(pixels) {
    return (pixels / Math.max(this.canvas.clientWidth, 1)) * (this.t1 - this.t0);
  }

  /** Show the playhead, what is chosen, and what a class key would label. */
  place(t, selection, target) {
    const inside = t >= this.t0 && t <= this.t1;
    this.playhead.hidden = !inside;
    if (inside) this.playhead.style.transform = `translateX(${this.x(t)}px)`;
    for (const [box, span] of [[this.chosen, selection], [this.target, target]]) {
      box.hidden = !span;
      if (!span) continue;
      const [a, b] = [this.x(span[0]), this.x(span[1])];
      box.style.left = `${a}px`;
      box.style.width = `${Math.max(b - a, 1)}px`;
    }
  }

  draw(look) {
    const { ctx, width } = prepareCanvas(this.canvas);
    if (!width) return;
    const ink = (name) => getComputedStyle(this.box).getPropertyValue(name).trim();
    const [text, faint, line] = [ink("--lb-ink"), ink("--lb-faint"), ink("--lb-line")];
    Object.assign(look, { faint, ground: ink("--lb-ground") });
    ctx.font = `11px ${ink("--lb-font") || "sans-serif"}`;
    ctx.textBaseline = "middle";
    this.drawRuler(ctx, width, text, line);
    hatch(ctx, 0, 16, width, 26, faint, 6);
    ctx.strokeStyle = line;
    ctx.strokeRect(0.5, 16.5, width - 1, 25);
    for (const proposal of look.proposals) this.drawProposal(ctx, proposal, look, text);
    for (const [start, end, label] of look.spans) this.drawSpan(ctx, start, end, label, look, 1);
    for (const p of look.pending) {
      this.drawSpan(ctx, p.start_s, p.end_s, p.label, look, p.saved ? 1 : 0.6);
    }
    if (look.preview) this.drawSpan(ctx, ...look.preview, look, 0.8);
    for (const [start, end, label] of look.other_spans ?? []) {
      ctx.fillStyle = look.of(label).colour; // another person's label: a thin line
      ctx.fillRect(this.x(start), 38, Math.max(this.x(end) - this.x(start), 1), 3);
    }
    ctx.fillStyle = text;
    for (const [start] of look.segments) {
      const x = Math.round(this.x(start));
      if (x > 0 && x < width) ctx.fillRect(x, 43, 1, 6);
    }
    for (const [start, end] of look.no_person) {
      const x = this.x(start);
      ctx.fillStyle = text;
      ctx.fillRect(x, 51, Math.max(this.x(end) - x, 1), 4);
    }
    if (look.window) {
      const [a, b] = look.window.map((t) => this.x(t));
      ctx.strokeStyle = text;
      ctx.strokeRect(a + 0.5, 0.5, Math.max(b - a - 1, 2), 55);
    }
  }

  drawRuler(ctx, width, text, line) {
    const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600];
    const seconds = this.t1 - this.t0;
    const every = steps.find((s) => (s / seconds) * width >= 56) ?? 7200;
    ctx.fillStyle = text;
    ctx.textAlign = "left";
    for (let k = Math.ceil(this.t0 / every); k * every < this.t1; k++) {
      const x = Math.round(this.x(k * every));
      ctx.fillStyle = line;
      ctx.fillRect(x, 9, 1, 7);
      ctx.fillStyle = text;
      if (x < width - 30) ctx.fillText(formatTime(k * every, every < 1 ? 1 : 0), x + 3, 8);
    }
  }

  drawSpan(ctx, start, end, label, look, alpha) {
    if (end <= this.t0 || start >= this.t1) return;
    const x = this.x(Math.max(start, this.t0));
    const w = Math.max(this.x(Math.min(end, this.t1)) - x, 1);
    if (label === null) {
      ctx.clearRect(x, 17, w, 24);
      hatch(ctx, x, 17, w, 24, look.faint, 6);
      return;
    }
    const { colour, pattern } = look.of(label);
    ctx.globalAlpha = alpha;
    ctx.fillStyle = colour;
    ctx.fillRect(x, 17, w, 24);
    fillLook(ctx, x, 35, w, 6, { colour, pattern }); // below the name
    ctx.globalAlpha = 1;
    if (w > 3) {
      ctx.fillStyle = "#00000055"; // an edge between neighbours of one colour
      ctx.fillRect(x + w - 1, 17, 1, 24);
    }
    if (w > 26) this.write(ctx, label, x, pattern ? 26.5 : 29.5, w, inkOn(colour));
  }

  /** A proposal is an outline with a question mark, never a filled span. */
  drawProposal(ctx, [start, end, label], look, ink) {
    if (end <= this.t0 || start >= this.t1) return;
    const x = this.x(Math.max(start, this.t0));
    const w = Math.max(this.x(Math.min(end, this.t1)) - x, 1);
    ctx.fillStyle = look.ground;
    ctx.fillRect(x, 17, w, 24);
    ctx.strokeStyle = look.of(label).colour;
    ctx.lineWidth = 2;
    ctx.setLineDash([4, 3]);
    ctx.strokeRect(x + 2, 19, Math.max(w - 4, 1), 20);
    ctx.setLineDash([]);
    ctx.lineWidth = 1;
    if (w > 26) this.write(ctx, `${label}?`, x + 1, 29.5, w - 4, ink);
  }

  write(ctx, text, x, y, w, ink) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(x, y - 12, w - 2, 24);
    ctx.clip();
    ctx.fillStyle = ink;
    ctx.textAlign = "left";
    ctx.fillText(text, x + 5, y);
    ctx.restore();
  }
}

export class Timeline {
  /** `ui` is the widget that joins the parts. */
  constructor(ui, body) {
    this.ui = ui;
    this.isOld = true; // labels, size or colours have changed since it was drawn
    this.view = null; // what the close-up was zoomed to
    this.preview = null; // [start, end, label] that a dragged boundary would label
    const use = "drag to choose time, drag an edge to move it, drag the ruler to scrub, "
      + "wheel to zoom; bar below: nobody was seen";
    this.close = new Band(body, `Close-up around this frame: ${use}`);
    this.close.box.classList.add("lb-close");
    this.whole = new Band(body, `The whole video: ${use}`);
  }

  get bands() {
    return [this.close, this.whole];
  }

  /** A film's clock may start anywhere, at the hour of the day say: so does the line. */
  open(firstTime, endTime) {
    this.startTime = firstTime < 1 ? 0 : firstTime;
    this.endTime = endTime;
    this.view = this.preview = null;
    this.whole.range(this.startTime, endTime);
  }

  get look() {
    return {
      ...this.ui.labels,
      pending: this.ui.ledger.pendingIn(this.ui.video),
      preview: this.preview,
      of: (label) => this.ui.look(label),
    };
  }

  /** Show what would be labelled while an edge is dragged; null ends it. */
  setPreview(preview) {
    this.preview = preview;
    this.isOld = true;
    this.ui.paintSoon();
  }

  /** Zoom the close-up by a factor, round the time under the pointer. */
  zoom(band, t, factor) {
    const { close, whole } = this;
    const length = this.endTime - this.startTime;
    const from = close.box.hidden ? whole : close;
    const least = (LEAST_ROWS * length) / Math.max(this.ui.player.n, 1);
    const span = Math.max((from.t1 - from.t0) * factor, Math.min(least, length));
    const share = band === from ? (t - from.t0) / (from.t1 - from.t0) : 0.5;
    this.view = span < length ? this.keepInside(t - share * span, span) : null;
    this.isOld = true;
    this.ui.paintSoon();
  }

  pan(band, pixels) {
    if (!this.view) return;
    const [t0, t1] = this.view;
    this.view = this.keepInside(t0 + band.seconds(pixels), t1 - t0);
    this.ui.paintSoon();
  }

  keepInside(t0, span) {
    const start = clamp(t0, this.startTime, this.endTime - span);
    return [start, start + span];
  }

  paint() {
    if (this.isOld) this.draw();
    const { player, painter } = this.ui;
    const where = [player.time(), painter.chosen, painter.target];
    if (!this.close.box.hidden) {
      this.drawCloseUp();
      this.close.place(...where);
    }
    this.whole.place(...where);
  }

  draw() {
    this.isOld = false;
    const isTight = this.whole.canvas.clientWidth / this.ui.player.n < 3; // pixels a frame
    this.close.box.hidden = !isTight && !this.view;
    const { close, view } = this;
    this.whole.draw({ ...this.look, window: view && !close.box.hidden ? view : null });
  }

  drawCloseUp() {
    this.placeCloseUp();
    const { t0, t1 } = this.close;
    const inside = (list) => list.filter(([start, end]) => end > t0 && start < t1);
    const { look } = this;
    for (const name of ["spans", "segments", "proposals", "no_person"]) look[name] = inside(look[name]);
    this.close.draw(look);
  }

  /** Keep the close-up on the playhead, but still while something is dragged on it. */
  placeCloseUp() {
    const { player } = this.ui;
    const { close, view } = this;
    if (close.held) return;
    if (view) {
      const [t0, t1] = view;
      const t = player.time();
      const isMoved = t !== this.lastTime; // else it was the wheel that took us away
      this.lastTime = t;
      if (isMoved && (t < t0 || t > t1)) {
        this.view = this.keepInside(t - (t1 - t0) / 2, t1 - t0);
        this.isOld = true;
      }
      close.range(...this.view);
    } else {
      const rows = clamp(Math.floor(close.canvas.clientWidth / 6), Math.min(20, player.n), player.n);
      const first = clamp(player.row - (rows >> 1), 0, player.n - rows);
      close.range(player.time(first), player.end(first + rows - 1));
    }
  }
}
