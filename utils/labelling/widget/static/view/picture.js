/* The picture with its skeleton and chips, and the filmstrip below it. */

import { element, fillLook, hatch, prepareCanvas } from "./dom.js";
import { inkOn } from "../logic/format.js";
import { BATCH_LOST_AFTER_MS } from "../logic/frames.js";
import { CHOICES } from "../logic/keys.js";
import { clamp, spanAt } from "../logic/spans.js";

const VIEW_NAMES = { both: "picture + skeleton", picture: "picture", skeleton: "skeleton only" };
const NO_PICTURE = "#20242b";

/** Draw 17 keypoints (x, y, score as shares of the picture) into the box x, y, w, h. */
function drawSkeleton(ctx, keypoints, skeleton, box) {
  const unit = clamp(box.h / 120, 1, 4);
  const at = (i) => [box.x + keypoints[3 * i] * box.w, box.y + keypoints[3 * i + 1] * box.h];
  const seen = (i) => Number.isFinite(keypoints[3 * i]);
  const sure = (i) => keypoints[3 * i + 2] >= skeleton.min_score;
  const { edges, colours, edge_colours: edgeColours } = skeleton;
  ctx.lineCap = "round";
  for (const [outline, width] of [[true, 2.1], [false, 1.1]]) {
    edges.forEach(([a, b], nth) => {
      if (!seen(a) || !seen(b)) return;
      ctx.globalAlpha = sure(a) && sure(b) ? 1 : 0.35;
      ctx.strokeStyle = outline ? "#00000099" : edgeColours[nth];
      ctx.lineWidth = width * unit;
      ctx.beginPath();
      ctx.moveTo(...at(a));
      ctx.lineTo(...at(b));
      ctx.stroke();
    });
  }
  colours.forEach((colour, i) => {
    if (!seen(i)) return;
    ctx.globalAlpha = sure(i) ? 1 : 0.5;
    ctx.beginPath();
    ctx.arc(...at(i), 1.4 * unit, 0, 2 * Math.PI);
    ctx.lineWidth = 0.7 * unit;
    ctx.strokeStyle = sure(i) ? "#000000" : colour;
    ctx.fillStyle = colour;
    if (sure(i)) ctx.fill();
    ctx.stroke();
  });
  ctx.globalAlpha = 1;
}

/** Fit w x h into a box, centred. */
function fit(w, h, width, height) {
  const scale = Math.min(width / w, height / h);
  return { x: (width - w * scale) / 2, y: (height - h * scale) / 2, w: w * scale, h: h * scale };
}

export class Screen {
  /** `ui` is the widget that joins the parts. */
  constructor(ui, body) {
    this.ui = ui;
    this.view = "both";
    this.size = [4, 3];
    this.skeleton = null;
    this.stage = element("div", "lb-stage", body);
    this.picture = element("canvas", "lb-picture", this.stage);
    this.painting = element("div", "lb-chip lb-painting", this.stage);
    this.here = element("div", "lb-chip lb-here", this.stage);
    this.offer = element("div", "lb-chip lb-offer", this.stage);
    this.film = element("canvas", "lb-film", body);
    this.film.title = "Neighbours of this frame: click one to go there";
    this.painting.hidden = this.offer.hidden = true;
  }

  open(size, skeleton) {
    this.size = size;
    this.skeleton = skeleton;
  }

  /** Show picture, skeleton or both: the one given, or the next. */
  setView(view) {
    const { values } = CHOICES.view;
    view ??= values[(values.indexOf(this.view) + 1) % values.length];
    this.view = view;
    this.ui.showButtons();
    this.ui.paintSoon();
    this.ui.say(VIEW_NAMES[view]);
  }

  /** The rows that the picture and the filmstrip show. */
  get shownRows() {
    const rows = this.layout().cells.map((cell) => cell.row);
    return new Set(rows.filter((row) => row >= 0 && row < this.ui.player.n));
  }

  paint() {
    this.drawPicture();
    this.drawFilm();
    this.showHere();
  }

  drawPicture() {
    const { store, player, root } = this.ui;
    const { row } = player;
    const bitmap = store.bitmaps.get(row);
    const image = bitmap ?? store.standIn(row);
    const { ctx, width, height } = prepareCanvas(this.picture);
    const box = fit(...this.size, width, height);
    const isFilm = !this.ui.film.box.hidden; // it shows through
    if (isFilm) ctx.clearRect(0, 0, width, height);
    else if (image && this.view !== "skeleton") {
      ctx.drawImage(image, box.x, box.y, box.w, box.h);
    } else {
      ctx.fillStyle = NO_PICTURE;
      ctx.fillRect(box.x, box.y, box.w, box.h);
    }
    const keypoints = store.jpegs.get(row)?.keypoints;
    if (keypoints && this.view !== "picture") drawSkeleton(ctx, keypoints, this.skeleton, box);
    if (!bitmap && !isFilm) {
      ctx.font = "12px sans-serif";
      ctx.fillStyle = "#ffffff";
      ctx.fillText(image ? "loading …" : "waiting for the kernel …", box.x + 10, box.y + 20);
      clearTimeout(this.retryTimer);
      this.retryTimer = setTimeout(() => this.ui.paintSoon(), BATCH_LOST_AFTER_MS + 100);
    }
    if (bitmap) root.dataset.painted = String(row); // the frame, no stand-in
    const detail = { row, isExact: Boolean(bitmap), isShown: Boolean(image) };
    root.dispatchEvent(new CustomEvent("labeller-painted", { detail }));
  }

  layout() {
    const { clientWidth: width, clientHeight: height } = this.film;
    const { row, stride } = this.ui.player;
    const picture = height - 8;
    const wanted = picture * clamp(this.size[0] / this.size[1], 0.5, 2);
    const half = Math.max(1, Math.round(width / wanted / 2 - 0.5));
    const w = width / (2 * half + 1);
    const cells = [];
    for (let k = -half; k <= half; k++) {
      cells.push({ row: row + k * stride, x: (k + half) * w, w, isHere: k === 0 });
    }
    return { cells, picture };
  }

  drawFilm() {
    const { store, player, root } = this.ui;
    const { ctx, height } = prepareCanvas(this.film);
    const { cells, picture } = this.layout();
    const style = getComputedStyle(root);
    for (const { row, x, w, isHere } of cells) {
      if (row < 0 || row >= player.n) continue;
      const image = store.bitmaps.get(row) ?? store.standIn(row);
      if (image && this.view !== "skeleton") ctx.drawImage(image, x + 1, 0, w - 2, picture);
      else {
        ctx.fillStyle = NO_PICTURE;
        ctx.fillRect(x + 1, 0, w - 2, picture);
        const keypoints = store.jpegs.get(row)?.keypoints;
        const box = { x: x + 1, y: 0, w: w - 2, h: picture };
        if (keypoints) drawSkeleton(ctx, keypoints, this.skeleton, box);
      }
      const label = this.ui.labelAt(player.time(row));
      if (label !== null) fillLook(ctx, x + 1, picture + 2, w - 2, 6, this.ui.look(label));
      else hatch(ctx, x + 1, picture + 2, w - 2, 5, style.getPropertyValue("--lb-faint"), 4);
      if (isHere) {
        ctx.strokeStyle = style.getPropertyValue("--lb-accent");
        ctx.lineWidth = 2;
        ctx.strokeRect(x + 1, 1, w - 2, height - 2);
      }
    }
  }

  /** The row of the filmstrip at a place on the page, or -1. */
  rowAt(event) {
    const x = event.clientX - this.film.getBoundingClientRect().left;
    const cell = this.layout().cells.find((c) => x >= c.x && x < c.x + c.w);
    return cell && cell.row < this.ui.player.n ? cell.row : -1;
  }

  /** The chips on the picture: the label here, and what is proposed. */
  showHere() {
    const { labels, player } = this.ui;
    const label = this.ui.labelAt(player.time());
    const isEmpty = spanAt(labels.no_person, player.time()) !== null;
    const isUnsafe = label !== null && this.ui.saving.isUnsafeAt(player.time());
    const notes = `${isUnsafe ? " · not saved" : ""}${isEmpty ? " · nobody seen" : ""}`;
    this.here.textContent = `${label ?? "unlabelled"}${notes}`;
    this.here.dataset.empty = String(label === null);
    const colour = label === null ? "" : this.ui.colour(label);
    this.here.style.background = colour;
    this.here.style.color = colour && inkOn(colour);
    const proposal = spanAt(labels.proposals, player.time());
    this.offer.hidden = !proposal || label !== null;
    if (proposal) {
      const sure = Number.isFinite(proposal[3]) ? ` ${Math.round(100 * proposal[3])} %` : "";
      this.offer.textContent = `${proposal[2]}?${sure} · Enter accepts`;
      this.offer.style.borderColor = this.ui.colour(proposal[2]);
    }
  }

  /** The chip of what is being painted, or chosen to be labelled. */
  showStroke(text, colour) {
    this.painting.hidden = !text;
    this.painting.textContent = text;
    this.painting.style.background = colour;
    this.painting.style.color = colour && inkOn(colour);
  }

  dispose() {
    clearTimeout(this.retryTimer);
  }
}
