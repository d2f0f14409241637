/* The front end of `labeller.py`: the picture, the filmstrip, the time line and the keys.
 *
 * Times are seconds. A row, 0 to n - 1, counts the sampled frames of the current video
 * (the session's `position`); it covers the time from its own time stamp to the next.
 * The playhead lives here, so that stepping never waits for the kernel.
 *
 * What the kernel is asked goes out as custom messages, because synced traits coalesce:
 *   ready | open | place | next | set | frames | overview | grid | count | doubt
 *   act {seq, action, position, ...}
 * and what comes back is
 *   video | labels | frames | overview | grid | count | go | say
 *   done {seq, ok, reason, ...}
 * An action counts as saved only after its `done` has come with `ok`.
 */

const FRAMES_A_BATCH = 12;
const FRAMES_A_FAR_BATCH = 24; // a message costs the page more than its frames do
const BATCHES_IN_FLIGHT = 2;
const BATCH_LOST_AFTER_MS = 8000;
const JPEG_BUDGET_BYTES = 48e6; // about 2,400 frames of 480 x 360
const ROWS_AHEAD = 360;
const ROWS_BEHIND = 120;
const BITMAPS_KEPT = 48; // 480 x 360 RGBA: 33 MB
const BITMAPS_AHEAD = 16;
const KERNEL_SLOW_AFTER_MS = 4000;
const SPEEDS = [0.5, 1, 2, 4];
const STEPS = [1, 5, 25];
const VIEWS = ["both", "picture", "skeleton"];
const VIEW_NAMES = { both: "picture + skeleton", picture: "picture", skeleton: "skeleton only" };
const KEYPOINTS_A_FRAME = 17;
const SCORE_FAINT = 0.3; // below it a keypoint is drawn hollow

/* ---------- small things ---------- */

const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

/** Index of the last entry of the sorted `values` that is <= x, or -1. */
function lastAtOrBefore(values, x) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (values[mid] <= x) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}

/** The entry [start, end, ...] of sorted, disjoint `spans` that covers time t. */
function spanAt(spans, t) {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (spans[mid][0] <= t) low = mid + 1;
    else high = mid;
  }
  const span = spans[low - 1];
  return span && t < span[1] ? span : null;
}

function formatTime(t, digits = 0) {
  const scale = 10 ** digits;
  const whole = Math.floor(t * scale + 1e-6) / scale;
  const minutes = Math.floor(whole / 60);
  const seconds = (whole - 60 * minutes).toFixed(digits).padStart(digits ? 3 + digits : 2, "0");
  const hours = Math.floor(minutes / 60);
  return hours
    ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${seconds}`
    : `${minutes}:${seconds}`;
}

const formatSeconds = (s) => `${s.toFixed(s < 10 ? 1 : 0)} s`;

/** Black or white, whichever reads better on a colour #rrggbb. */
function inkOn(colour) {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#000000" : "#ffffff";
}

function element(tag, className, parent, text = "") {
  const node = document.createElement(tag);
  node.className = className;
  if (text) node.textContent = text;
  parent?.append(node);
  return node;
}

/** Give a canvas the pixels of its box on this screen; returns its context and size. */
function prepareCanvas(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return { ctx, width, height };
}

/** Name of a key press: "ctrl+shift+z", "shift+arrowright", "1", "?". */
function nameKey(event) {
  let key = event.key.toLowerCase();
  const digit = /^Digit(\d)$/.exec(event.code); // the row of digits, on any keyboard
  if (!/^[0-9]$/.test(key) && digit) key = digit[1];
  if (key === " ") key = "space";
  const ctrl = event.ctrlKey || event.metaKey ? "ctrl+" : "";
  const alt = event.altKey ? "alt+" : "";
  const isSign = key.length === 1 && !/[a-z0-9]/.test(key); // "?" needs shift on most
  return `${ctrl}${alt}${event.shiftKey && !isSign ? "shift+" : ""}${key}`;
}

/* ---------- frames: asked for ahead of need, kept within bounds ---------- */

class FrameStore {
  constructor(ask, onNews) {
    this.ask = ask;
    this.onNews = onNews;
    this.clear(0);
  }

  clear(n) {
    for (const bitmap of this.bitmaps?.values() ?? []) bitmap.close();
    for (const bitmap of this.thumbs?.bitmaps ?? []) bitmap.close();
    this.n = n;
    this.jpegs = new Map(); // row -> {blob, keypoints}
    this.bytes = 0;
    this.bitmaps = new Map();
    this.decoding = new Set();
    this.asked = new Map(); // row -> when it was asked for
    this.batches = 0;
    this.thumbs = { rows: [], bitmaps: [] };
    this.generation = (this.generation ?? 0) + 1;
    this.center = 0;
  }

  /** Take a batch from the kernel; the last buffer holds the keypoints. */
  take(rows, buffers) {
    const last = buffers[rows.length];
    const keypoints = new Float32Array(
      last.buffer.slice(last.byteOffset, last.byteOffset + last.byteLength)
    );
    const size = KEYPOINTS_A_FRAME * 3;
    const wasAsked = rows.some((row) => this.asked.has(row));
    rows.forEach((row, i) => {
      this.asked.delete(row);
      if (this.jpegs.has(row)) return;
      const blob = new Blob([buffers[i]], { type: "image/jpeg" });
      this.bytes += blob.size;
      this.jpegs.set(row, { blob, keypoints: keypoints.subarray(i * size, (i + 1) * size) });
    });
    if (wasAsked) this.batches = Math.max(0, this.batches - 1);
    this.forgetFar();
    this.onNews(rows);
  }

  async takeOverview(rows, buffers) {
    const generation = this.generation;
    const blobs = buffers.map((buffer) => new Blob([buffer], { type: "image/jpeg" }));
    const bitmaps = await Promise.all(
      blobs.map((blob) => createImageBitmap(blob).catch(() => null))
    );
    if (generation !== this.generation) return;
    const all = this.thumbs.rows.map((row, i) => [row, this.thumbs.bitmaps[i]]);
    rows.forEach((row, i) => bitmaps[i] && all.push([row, bitmaps[i]]));
    all.sort((a, b) => a[0] - b[0]);
    this.thumbs = { rows: all.map((x) => x[0]), bitmaps: all.map((x) => x[1]) };
    this.onNews(null); // may stand in for any frame
  }

  /** Drop what lies farthest from the playhead once the budget is spent. */
  forgetFar() {
    if (this.bytes <= JPEG_BUDGET_BYTES) return;
    const far = [...this.jpegs.keys()].sort(
      (a, b) => Math.abs(b - this.center) - Math.abs(a - this.center)
    );
    for (const row of far) {
      if (this.bytes <= 0.8 * JPEG_BUDGET_BYTES) return;
      this.bytes -= this.jpegs.get(row).blob.size;
      this.jpegs.delete(row);
    }
  }

  /** Ask for and decode what is shown (`urgent` rows) and what will be shown next. */
  want(center, direction, stride, urgent) {
    this.center = center;
    const ahead = (k) => center + direction * k;
    for (const row of [center, ...urgent]) this.decode(row);
    for (let k = 1; k <= BITMAPS_AHEAD; k++) this.decode(ahead(k * stride));
    if (this.batches >= BATCHES_IN_FLIGHT && !this.dropLost()) return;
    const rows = new Set();
    const add = (row, most) => {
      if (row >= 0 && row < this.n && !this.jpegs.has(row) && !this.asked.has(row)) rows.add(row);
      return rows.size >= most;
    };
    const fill = () => {
      for (const row of [center, ...urgent]) if (add(row, FRAMES_A_BATCH)) return;
      for (let k = 1; k <= BITMAPS_AHEAD; k++) if (add(ahead(k * stride), FRAMES_A_BATCH)) return;
      if (rows.size) return; // at once; what is farther off can wait
      for (let k = 1; k <= ROWS_AHEAD; k++) {
        if (add(ahead(k), FRAMES_A_FAR_BATCH)) return;
        const behind = center - (direction * k) / 3;
        if (k % 3 === 0 && k / 3 <= ROWS_BEHIND && add(behind, FRAMES_A_FAR_BATCH)) return;
      }
      rows.clear(); // a few far ones: not worth a message
    };
    while (this.batches < BATCHES_IN_FLIGHT) {
      rows.clear();
      fill();
      if (!rows.size) return;
      const now = performance.now();
      for (const row of rows) this.asked.set(row, now);
      this.batches += 1;
      this.ask([...rows]);
    }
  }

  /** Forget requests that were never answered (kernel busy or restarted). */
  dropLost() {
    const late = performance.now() - BATCH_LOST_AFTER_MS;
    const lost = [...this.asked].filter(([, when]) => when < late);
    for (const [row] of lost) this.asked.delete(row);
    if (lost.length) this.batches = 0;
    return lost.length > 0;
  }

  async decode(row) {
    const jpeg = this.jpegs.get(row);
    if (!jpeg || this.bitmaps.has(row) || this.decoding.has(row)) return;
    this.decoding.add(row);
    const generation = this.generation;
    const bitmap = await createImageBitmap(jpeg.blob).catch(() => null);
    if (generation !== this.generation) return;
    this.decoding.delete(row);
    if (!bitmap) return;
    this.bitmaps.set(row, bitmap);
    if (this.bitmaps.size > BITMAPS_KEPT) {
      let far = row;
      for (const other of this.bitmaps.keys()) {
        if (Math.abs(other - this.center) > Math.abs(far - this.center)) far = other;
      }
      this.bitmaps.get(far).close();
      this.bitmaps.delete(far);
    }
    this.onNews([row]);
  }

  /** The nearest small picture of the overview, to show until the frame itself is here. */
  standIn(row) {
    const { rows, bitmaps } = this.thumbs;
    if (!rows.length) return null;
    const i = lastAtOrBefore(rows, row);
    if (i < 0) return bitmaps[0];
    return rows[i + 1] - row < row - rows[i] ? bitmaps[i + 1] : bitmaps[i];
  }
}

/* ---------- drawing ---------- */

const LEFT = "#56b4e9"; // the subject's left, right and middle; Okabe-Ito
const RIGHT = "#e69f00";
const MIDDLE = "#f5f5f5";

function sideColour(names) {
  const sides = new Set(names.map((name) => name.split("_")[0]));
  if (sides.size > 1) return MIDDLE;
  return sides.has("left") ? LEFT : sides.has("right") ? RIGHT : MIDDLE;
}

/** Draw 17 keypoints (x, y, score as shares of the picture) into the box x, y, w, h. */
function drawSkeleton(ctx, keypoints, skeleton, box) {
  const unit = clamp(box.h / 120, 1, 4);
  const at = (i) => [box.x + keypoints[3 * i] * box.w, box.y + keypoints[3 * i + 1] * box.h];
  const seen = (i) => Number.isFinite(keypoints[3 * i]);
  const sure = (i) => keypoints[3 * i + 2] >= SCORE_FAINT;
  const { names, edges } = skeleton;
  ctx.lineCap = "round";
  for (const [outline, width] of [[true, 2.1], [false, 1.1]]) {
    for (const [a, b] of edges) {
      if (!seen(a) || !seen(b)) continue;
      ctx.globalAlpha = sure(a) && sure(b) ? 1 : 0.35;
      ctx.strokeStyle = outline ? "#00000099" : sideColour([names[a], names[b]]);
      ctx.lineWidth = width * unit;
      ctx.beginPath();
      ctx.moveTo(...at(a));
      ctx.lineTo(...at(b));
      ctx.stroke();
    }
  }
  names.forEach((name, i) => {
    if (!seen(i)) return;
    ctx.globalAlpha = sure(i) ? 1 : 0.5;
    ctx.beginPath();
    ctx.arc(...at(i), 1.4 * unit, 0, 2 * Math.PI);
    ctx.lineWidth = 0.7 * unit;
    ctx.strokeStyle = sure(i) ? "#000000" : sideColour([name]);
    ctx.fillStyle = sideColour([name]);
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

/** Fill a box with diagonal lines: unlabelled time, or time without a person. */
function hatch(ctx, x, y, w, h, colour, gap) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, w, h);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (let u = Math.floor((x - h) / gap) * gap; u < x + w; u += gap) {
    ctx.moveTo(u, y + h);
    ctx.lineTo(u + h, y);
  }
  ctx.stroke();
  ctx.restore();
}

/** A stretch of the time line, from t0 to t1 over the width of its canvas. */
class Band {
  constructor(parent, title) {
    this.box = element("div", "lb-band", parent);
    this.box.title = title;
    this.canvas = element("canvas", "lb-band-canvas", this.box);
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

  place(t, selection) {
    const inside = t >= this.t0 && t <= this.t1;
    this.playhead.hidden = !inside;
    if (inside) this.playhead.style.transform = `translateX(${this.x(t)}px)`;
    this.chosen.hidden = !selection;
    if (!selection) return;
    const [a, b] = [this.x(selection[0]), this.x(selection[1])];
    this.chosen.style.left = `${a}px`;
    this.chosen.style.width = `${Math.max(b - a, 1)}px`;
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
    for (const [start, end, label] of look.other_spans ?? []) {
      ctx.fillStyle = look.colour(label); // another person's label: a thin line
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
    const colour = look.colour(label);
    ctx.globalAlpha = alpha;
    ctx.fillStyle = colour;
    ctx.fillRect(x, 17, w, 24);
    ctx.globalAlpha = 1;
    if (w > 3) {
      ctx.fillStyle = "#00000055"; // an edge between neighbours of one colour
      ctx.fillRect(x + w - 1, 17, 1, 24);
    }
    if (w > 26) this.write(ctx, label, x, 29.5, w, inkOn(colour));
  }

  /** A proposal is an outline with a question mark, never a filled span. */
  drawProposal(ctx, [start, end, label], look, ink) {
    if (end <= this.t0 || start >= this.t1) return;
    const x = this.x(Math.max(start, this.t0));
    const w = Math.max(this.x(Math.min(end, this.t1)) - x, 1);
    ctx.fillStyle = look.ground;
    ctx.fillRect(x, 17, w, 24);
    ctx.strokeStyle = look.colour(label);
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

/* ---------- what a person can do: one table of commands, keys and words ---------- */

/** name -> [keys, what it does (in the list of keys), what runs it]. */
const COMMANDS = {
  play: [["space"], "play or pause", (ui) => ui.togglePlay()],
  back: [["arrowleft"], "step back", (ui) => ui.step(-1)],
  forward: [["arrowright"], "step forward", (ui) => ui.step(1)],
  next_unlabelled: [["shift+arrowright"], "next unlabelled stretch", (ui) => ui.goNext()],
  previous_unlabelled: [["shift+arrowleft"], "unlabelled stretch before", (ui) => ui.goUnlabelled(-1)],
  next_change: [["shift+arrowdown"], "next change of label", (ui) => ui.goChange(1)],
  previous_change: [["shift+arrowup"], "change of label before", (ui) => ui.goChange(-1)],
  first: [["home"], "first frame", (ui) => ui.go(0)],
  last: [["end"], "last frame", (ui) => ui.go(ui.n - 1)],
  accept: [["enter"], "accept the proposal", (ui) => ui.accept()],
  erase: [["backspace", "delete"], "erase the label", (ui) => ui.erase()],
  undo: [["ctrl+z"], "undo, in this video", (ui) => ui.act({ action: "undo" })],
  redo: [["ctrl+shift+z", "ctrl+y"], "redo", (ui) => ui.act({ action: "redo" })],
  mark_start: [["i"], "mark a start here", (ui) => ui.mark("start")],
  mark_end: [["o"], "mark the end here; then press a class", (ui) => ui.mark("end")],
  unit: [["s"], "a class key labels a segment, or a step of frames", (ui) => ui.toggleUnit()],
  hold: [["t"], "class keys paint while held, or until pressed again", (ui) => ui.toggleHold()],
  slower: [["-"], "slower", (ui) => ui.setSpeed(-1)],
  faster: [["+", "="], "faster", (ui) => ui.setSpeed(1)],
  step: [["."], "step 1, 5 or 25 frames", (ui) => ui.setStep()],
  view: [["v"], "picture, skeleton or both", (ui) => ui.setView()],
  previous_video: [["p"], "video before", (ui) => ui.changeVideo(-1)],
  next_video: [["n"], "next video", (ui) => ui.changeVideo(1)],
  grid: [["g"], "label look-alike frames together", (ui) => ui.toggleGrid()],
  doubt: [["j"], "jump to the next label to look at again", (ui) => ui.request("doubt", {})],
  fix: [["f"], "put that label right", (ui) => ui.act({ action: "fix" })],
  cancel: [["escape"], "drop the selection, stop painting", (ui) => ui.cancel()],
  help: [["?"], "this list of keys", (ui) => ui.toggleHelp()],
};
const COMMAND_OF_KEY = new Map(
  Object.entries(COMMANDS).flatMap(([name, [keys]]) => keys.map((key) => [key, name]))
);
/** Commands that go on while their key is held; the others act once a press. */
const REPEATING = new Set(["back", "forward", "undo", "redo"]);
const KEY_SIGNS = {
  arrowleft: "←", arrowright: "→", arrowup: "↑", arrowdown: "↓",
  backspace: "Backspace", enter: "Enter", escape: "Esc", space: "space",
};

function writeKey(key) {
  const parts = key === "+" ? ["+"] : key.split("+");
  return parts.map((p) => KEY_SIGNS[p] ?? (p.length === 1 ? p.toUpperCase() : p)).join(" ");
}

/* ---------- the widget ---------- */

class Ui {
  constructor(model, el) {
    this.model = model;
    this.video = null;
    this.n = 0;
    this.row = 0;
    this.direction = 1;
    this.speed = 1;
    this.stepIdx = 0;
    this.view = "both";
    this.unit = "segment";
    this.hold = true; // false: a class key starts painting, the next press ends it
    this.playing = null;
    this.held = null; // the class key that is down
    this.stroke = null; // what is being painted
    this.selection = null;
    this.markedStart = null;
    this.grid = null;
    this.labels = { spans: [], proposals: [], segments: [], no_person: [], classes: [], order: "time" };
    this.pending = new Map(); // seq -> action not yet acknowledged
    this.seq = 0;
    this.refusal = "";
    this.store = new FrameStore(
      (rows) => this.request("frames", { rows }),
      (rows) => this.takeNews(rows)
    );
    this.shownRows = new Set(); // of the picture and the filmstrip
    this.build(el);
    this.stops = new AbortController();
    this.listen(el);
    model.on("msg:custom", (message, buffers) => this.hear(message, buffers));
    const { message, buffers } = model.get("opening");
    if (message) this.hear(message, buffers);
    this.request("ready", {});
  }

  build(el) {
    const root = (this.root = element("div", "lb-root", el));
    root.tabIndex = 0;
    root.dataset.lmSuppressShortcuts = "true";
    root.setAttribute("aria-label", "Labeller: press ? for the keys");
    const head = element("div", "lb-head", root);
    this.title = element("span", "lb-title", head);
    this.nth = element("span", "lb-nth", head);
    this.clock = element("span", "lb-clock", head);
    this.saved = element("span", "lb-saved", head);
    this.saved.setAttribute("role", "status");
    const body = element("div", "lb-body", root);
    const stage = (this.stage = element("div", "lb-stage", body));
    this.picture = element("canvas", "lb-picture", stage);
    this.painting = element("div", "lb-chip lb-painting", stage);
    this.here = element("div", "lb-chip lb-here", stage);
    this.offer = element("div", "lb-chip lb-offer", stage);
    this.toast = element("div", "lb-toast", stage);
    this.film = element("canvas", "lb-film", body);
    this.film.title = "Neighbours of this frame: click one to go there";
    const use = "drag to choose time, drag the ruler to scrub; bar below: nobody was seen";
    this.close = new Band(body, `Close-up around this frame: ${use}`);
    this.close.box.classList.add("lb-close");
    this.whole = new Band(body, `The whole video: ${use}`);
    this.gridBox = element("div", "lb-grid", body);
    this.helpBox = element("div", "lb-help", body);
    for (const box of [this.gridBox, this.helpBox, this.painting, this.offer]) box.hidden = true;
    this.showSaved();
  }

  /* ----- messages ----- */

  request(type, content) {
    this.model.send({ type, video: this.video, ...content });
  }

  /** Send an action; it counts as saved when the kernel has acknowledged its number. */
  act(action) {
    this.seq += 1;
    const seq = `${this.model.viewId}-${this.seq}`;
    const message = { video: this.video, position: this.row, ...action, seq };
    this.pending.set(seq, { ...message, sent: performance.now(), saved: false });
    this.request("act", message);
    this.showSaved();
    this.areLinesOld = true;
    this.paintSoon();
    return seq;
  }

  hear(message, buffers) {
    const hearers = {
      video: () => this.openVideo(message, buffers),
      labels: () => this.takeLabels(message),
      done: () => this.takeDone(message),
      frames: () =>
        message.video === this.video && this.store.take(message.rows, buffers),
      overview: () =>
        message.video === this.video && this.store.takeOverview(message.rows, buffers),
      grid: () => this.openGrid(message, buffers),
      count: () => this.showGrid(message.seconds),
      say: () => this.say(message.text),
      go: () => message.video === this.video && this.go(message.position),
    };
    hearers[message?.type]?.();
  }

  openVideo(message, buffers) {
    this.stopPlaying();
    this.endStroke();
    const isSame = this.video === message.video && this.n === message.n;
    const doubles = (b) => new Float64Array(b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength));
    Object.assign(this, {
      video: message.video,
      n: message.n,
      size: [message.width_px, message.height_px],
      skeleton: message.skeleton,
      endTime: message.end_s,
      times: doubles(buffers[0]),
      frameIdx: doubles(buffers[1]),
      selection: null,
      markedStart: null,
    });
    this.unit = message.labels.unit;
    if (!isSame) this.store.clear(this.n);
    if (buffers[3]) this.store.take([message.position], [buffers[2], buffers[3]]);
    this.title.textContent = message.video;
    const who = message.annotator ? ` · ${message.annotator} labels` : "";
    this.nth.textContent = `video ${message.nth} of ${message.n_videos}${who}`;
    this.whole.range(0, this.endTime);
    this.row = clamp(message.position, 0, this.n - 1);
    this.root.dataset.video = message.video;
    delete this.root.dataset.painted;
    this.showStroke();
    this.takeLabels(message.labels);
    if (!isSame && this.n > ROWS_AHEAD) this.request("overview", {});
  }

  takeLabels(labels) {
    if (labels.video !== this.video) return;
    this.labels = { ...this.labels, ...labels }; // what does not change is not sent anew
    for (const [seq, action] of this.pending) if (action.saved) this.pending.delete(seq);
    this.showButtons();
    this.areLinesOld = true;
    this.paintSoon();
  }

  takeDone({ seq, ok, reason, position, text }) {
    const action = this.pending.get(seq);
    if (ok && action) {
      action.saved = true; // stays drawn until the kernel sends the labels anew
      this.refusal = "";
      this.root.dataset.saved = String(Number(this.root.dataset.saved ?? 0) + 1);
    } else if (!ok) {
      this.pending.delete(seq);
      this.refusal = reason;
      this.held = this.stroke = null;
      this.say(reason, true);
    }
    // a late answer must not pull the playhead back from where the user has gone since
    const stayed = !action || this.row === action.position;
    if (position !== undefined && position !== null && stayed) this.go(position);
    if (text) this.say(text);
    this.showSaved();
    this.areLinesOld = true;
    this.paintSoon();
  }

  /** Say whether everything is on disk; what the kernel has not answered is not. */
  showSaved() {
    const waiting = [...this.pending.values()].filter((action) => !action.saved);
    const oldest = waiting[0];
    const slow = oldest && performance.now() - oldest.sent > KERNEL_SLOW_AFTER_MS;
    let [state, text] = ["ok", "saved"];
    if (slow) {
      [state, text] = [
        "bad",
        `not saved: ${waiting.length} waiting for the kernel (busy, or restarted? then run the cell again)`,
      ];
    } else if (oldest) [state, text] = ["wait", "saving"];
    else if (this.refusal) [state, text] = ["bad", `not saved: ${this.refusal}`];
    this.saved.dataset.state = state;
    this.saved.textContent = text;
    this.saved.title = text;
    clearTimeout(this.savedTimer);
    if (oldest && !slow) this.savedTimer = setTimeout(() => this.showSaved(), 500);
  }

  say(text, isError = false) {
    this.toast.textContent = text;
    this.toast.classList.toggle("lb-error", isError);
    this.toast.classList.add("lb-shown");
    clearTimeout(this.toastTimer);
    const ms = isError ? 9000 : 2600;
    this.toastTimer = setTimeout(() => this.toast.classList.remove("lb-shown"), ms);
  }

  /* ----- where we are ----- */

  time(row = this.row) {
    return this.n ? this.times[row] : 0;
  }

  end(row = this.row) {
    return row + 1 < this.n ? this.times[row + 1] : this.endTime;
  }

  get stride() {
    return STEPS[this.stepIdx];
  }

  /** The label of time t as it will be once everything pending is saved. */
  labelAt(t) {
    let found = spanAt(this.labels.spans, t)?.[2] ?? null;
    for (const p of this.pending.values()) {
      if (p.video === this.video && p.start_s <= t && t < p.end_s) found = p.label;
    }
    return found;
  }

  colour(label) {
    return this.labels.classes.find((c) => c.name === label)?.colour ?? "#888888";
  }

  /** Jump to a row: ends a stroke, since the time in between was not looked at. */
  go(row) {
    this.endStroke();
    this.moveTo(clamp(row, 0, this.n - 1));
  }

  goTime(t) {
    if (this.n) this.go(lastAtOrBefore(this.times, t + 1e-6));
  }

  changeVideo(move) {
    this.stopPlaying();
    this.endStroke();
    this.request("open", { move });
  }

  step(sign) {
    this.stopPlaying();
    this.moveTo(clamp(this.row + sign * this.stride, 0, this.n - 1));
  }

  moveTo(row) {
    if (row === this.row) return;
    const from = this.row;
    if (this.held && !this.stroke) this.beginStroke();
    this.direction = row > from ? 1 : -1;
    this.row = row;
    if (this.stroke) this.extendStroke(from);
    this.paintSoon();
    clearTimeout(this.placeTimer);
    this.placeTimer = setTimeout(() => this.request("place", { position: this.row }), 400);
  }

  goNext() {
    if (this.labels.order !== "time") this.request("next", { position: this.row });
    else this.goUnlabelled(1);
  }

  /** Go to where the next unlabelled stretch, or segment of one, starts. */
  goUnlabelled(sign) {
    const free = (row) => this.labelAt(this.time(row)) === null;
    const starts = (row) => {
      if (!free(row)) return false;
      if (row === 0 || !free(row - 1)) return true;
      const segment = spanAt(this.labels.segments, this.time(row));
      return segment !== null && segment[0] > this.time(row - 1);
    };
    for (let k = 1; k <= this.n; k++) {
      const row = (this.row + sign * k + this.n * 2) % this.n;
      if (!starts(row)) continue;
      if (sign * (row - this.row) < 0) this.say("From the other end again.");
      if (row === this.row && k === this.n) break;
      return this.go(row);
    }
    if (free(this.row)) return this.say("This is the only unlabelled stretch here.");
    return this.say("All of this video is labelled. N opens the next one.");
  }

  goChange(sign) {
    for (let row = this.row + sign; row >= 0 && row < this.n; row += sign) {
      const before = row > 0 ? this.labelAt(this.time(row - 1)) : undefined;
      if (this.labelAt(this.time(row)) !== before) return this.go(row);
    }
    return this.say(`No change of label ${sign > 0 ? "after" : "before"} here.`);
  }

  /* ----- playing ----- */

  togglePlay() {
    if (this.playing) return this.stopPlaying();
    if (!this.n) return;
    if (this.row >= this.n - 1) this.go(0);
    this.playing = { time: this.time(), at: performance.now() };
    this.showButtons();
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
    const due = this.playing.time + ((now - this.playing.at) / 1000) * this.speed;
    let row = lastAtOrBefore(this.times, due + 1e-6);
    while (row > this.row && !this.store.bitmaps.has(row)) row -= 1;
    if (row > this.row) this.moveTo(row);
    const late = due - this.end();
    if (this.row >= this.n - 1 && late >= 0) return this.stopPlaying();
    if (late > 0.25 * this.speed) this.playing = { time: this.end(), at: now };
    return this.paintSoon();
  }

  stopPlaying() {
    if (!this.playing) return;
    this.playing = null;
    this.showButtons();
  }

  setSpeed(change) {
    const i = clamp(SPEEDS.indexOf(this.speed) + change, 0, SPEEDS.length - 1);
    this.chooseSpeed(SPEEDS[i]);
  }

  chooseSpeed(speed) {
    this.speed = speed;
    if (this.playing) this.playing = { time: this.time(), at: performance.now() };
    this.showButtons();
    this.say(`Speed ${speed}×`);
  }

  setStep(idx = (this.stepIdx + 1) % STEPS.length) {
    this.stepIdx = idx;
    this.showButtons();
    this.paintSoon();
    this.say(`Step ${this.stride} frame${this.stride > 1 ? "s" : ""}`);
  }

  setView(view = VIEWS[(VIEWS.indexOf(this.view) + 1) % VIEWS.length]) {
    this.view = view;
    this.showButtons();
    this.paintSoon();
    this.say(VIEW_NAMES[view]);
  }

  /* ----- labelling ----- */

  /** A class key goes down: label what is chosen, or wait whether it is held. */
  pressClass(idx, latch) {
    const label = this.labels.classes[idx]?.name;
    if (label === undefined) return this.say(`There is no class ${idx + 1}.`);
    if (this.grid) return this.labelGrid(label);
    if (this.selection) return this.labelSelection(label);
    const again = this.stroke?.latch && this.stroke.label === label;
    this.endStroke();
    if (again) return this.showStroke();
    this.held = { idx, label, latch };
    if (latch || this.playing) this.beginStroke();
    return this.showStroke();
  }

  /** It comes up: a stroke ends here; without a stroke it was a tap. */
  releaseClass(idx) {
    if (this.held?.idx !== idx || this.held.latch) return;
    const { label } = this.held;
    this.held = null;
    if (this.stroke) this.endStroke();
    else this.tap(label);
  }

  /** Label the segment in view, or `stride` frames, and go on to the next. */
  tap(label) {
    const segment = this.unit === "segment" && spanAt(this.labels.segments, this.time());
    if (this.unit === "segment" && this.labels.is_partial) {
      return this.say("Still looking for the segments of this video. S labels frames.");
    }
    const last = clamp(this.row + this.stride - 1, 0, this.n - 1);
    const [start, end] = segment || [this.time(), this.end(last)];
    this.act({ action: "label", start_s: start, end_s: end, label });
    return segment ? this.advance() : this.go(last + 1);
  }

  /** Row of the next still pose without label, after this one; -1 if there is none. */
  findOpen() {
    for (const [start, end, isStill] of this.labels.segments) {
      if (start <= this.time() || !isStill) continue;
      if (this.labelAt((start + end) / 2) === null) {
        return lastAtOrBefore(this.times, start + 1e-3);
      }
    }
    return -1;
  }

  /** After a segment is labelled go on to the next, in another video if need be. */
  advance() {
    const row = this.labels.order === "time" ? this.findOpen() : -1;
    if (row >= 0) this.go(row);
    else this.request("next", { position: this.row });
  }

  beginStroke() {
    this.stroke = this.held;
    this.held = this.held.latch ? null : this.held;
    this.paintSpan("paint_begin", this.time(), this.end());
    this.showStroke();
  }

  /** While painting, the time the playhead has passed since row `from` takes the class. */
  extendStroke(from) {
    const [low, high] = from < this.row ? [from + 1, this.row] : [this.row, from - 1];
    this.paintSpan("paint_to", this.time(low), this.end(high));
  }

  paintSpan(action, start, end) {
    this.act({ action, start_s: start, end_s: end, label: this.stroke.label });
  }

  endStroke() {
    this.held = null;
    if (!this.stroke) return;
    this.stroke = null;
    this.act({ action: "paint_end" });
    this.showStroke();
  }

  labelSelection(label) {
    const [start, end] = this.selection;
    this.act({ action: "label", start_s: start, end_s: end, label });
    this.setSelection(null);
  }

  setSelection(selection) {
    this.selection = selection;
    if (!selection) this.markedStart = null;
    this.showStroke();
    this.paintSoon();
  }

  mark(side) {
    if (side === "start") {
      this.markedStart = this.time();
      this.selection = null;
      this.paintSoon();
      return this.say("Start marked. Go to the end and press O.");
    }
    if (this.markedStart === null) return this.say("Mark a start first: press I there.");
    const marks = [this.markedStart, this.time()].sort((a, b) => a - b);
    const end = this.end(lastAtOrBefore(this.times, marks[1] + 1e-6));
    return this.setSelection([marks[0], end]);
  }

  erase() {
    const here = this.labelAt(this.time());
    if (this.selection) return this.labelSelection(null);
    if (here === null) return this.say("Nothing is labelled here.");
    const span = spanAt(this.labels.spans, this.time());
    const last = clamp(this.row + this.stride - 1, 0, this.n - 1);
    const [start, end] = (this.unit === "segment" && span) || [this.time(), this.end(last)];
    return this.act({ action: "label", start_s: start, end_s: end, label: null });
  }

  accept() {
    if (this.grid?.label !== undefined) return this.labelGrid(this.grid.label);
    const proposal = spanAt(this.labels.proposals, this.time());
    if (!proposal) return this.say(this.labels.why_no_proposal || "Nothing is proposed here.");
    const [start, end, label] = proposal;
    const row = this.labels.order === "time" ? this.findOpen() : -1;
    const goesTo = row >= 0 ? row : null; // null: the kernel says where it goes on
    this.act({ action: "accept", start_s: start, end_s: end, label, goes_to: goesTo });
    return goesTo !== null && this.go(goesTo);
  }

  toggleUnit() {
    this.unit = this.labels.unit = this.unit === "segment" ? "frame" : "segment";
    this.request("set", { unit: this.unit });
    this.showButtons();
    this.say(`A class key now labels the ${this.unit}.`);
  }

  toggleHold() {
    this.hold = !this.hold;
    this.endStroke();
    this.showButtons();
    this.say(this.hold ? "Class keys paint while held." : "A class key paints until pressed again.");
  }

  cancel() {
    this.endStroke();
    this.stopPlaying();
    this.closeGrid();
    this.helpBox.hidden = true;
    this.setSelection(null);
    this.showButtons();
  }

  /* ----- look-alike frames ----- */

  toggleGrid() {
    if (this.grid) return this.closeGrid();
    this.stopPlaying();
    this.endStroke();
    this.say("Looking for look-alike frames …");
    return this.request("grid", { group: 0 });
  }

  openGrid(message, buffers) {
    const urls = buffers.map((b) => URL.createObjectURL(new Blob([b], { type: "image/jpeg" })));
    this.closeGrid();
    this.grid = { ...message, urls, chosen: new Set(message.items.map((_, i) => i)) };
    this.gridHead = element("div", "lb-grid-head", this.gridBox);
    const cells = element("div", "lb-grid-cells", this.gridBox);
    message.items.forEach((item, i) => {
      const cell = element("button", "lb-cell lb-chosen-cell", cells);
      cell.tabIndex = -1;
      cell.title = `${item.video}, ${formatTime(item.time_s, 1)}`;
      const image = element("img", "", cell);
      image.src = urls[i];
      image.alt = cell.title;
      element("span", "lb-cell-label", cell, item.label ?? item.video);
      cell.addEventListener("click", () => {
        this.grid.chosen[this.grid.chosen.has(i) ? "delete" : "add"](i);
        cell.classList.toggle("lb-chosen-cell");
        this.grid.label = undefined;
        this.showGrid();
        this.root.focus({ preventScroll: true });
      });
    });
    this.gridBox.hidden = false;
    this.root.dataset.grid = String(message.group);
    this.showButtons();
    this.showGrid();
  }

  /** Say what is chosen, and how many seconds would change before anything does. */
  showGrid(seconds) {
    if (!this.grid) return;
    const { chosen, items, group, n_groups: nGroups, label } = this.grid;
    let what = "Click pictures to leave them out, then press a class. ← → other groups.";
    if (seconds !== undefined) {
      what = `${seconds.toFixed(1)} s will change to ${label}: Enter does it, Esc does not.`;
    }
    this.gridHead.textContent =
      `Look-alikes ${group + 1} of ${nGroups}: ${chosen.size} of ${items.length} chosen. ${what}`;
  }

  get gridFrames() {
    const items = [...this.grid.chosen].map((i) => this.grid.items[i]);
    return items.map(({ video, frame_idx: frameIdx }) => [video, frameIdx]);
  }

  /** A class key asks how much would change; the same key again, or Enter, does it. */
  labelGrid(label) {
    const frames = this.gridFrames;
    if (!frames.length) return this.say("No picture is chosen.");
    if (this.grid.label !== label) {
      this.grid.label = label;
      return this.request("count", { frames, label });
    }
    this.act({ action: "label_many", frames, label });
    return this.request("grid", { group: this.grid.group });
  }

  moveGrid(sign) {
    const { group, n_groups: nGroups } = this.grid;
    this.request("grid", { group: (group + sign + nGroups) % nGroups });
  }

  closeGrid() {
    if (!this.grid) return;
    this.grid.urls.forEach((url) => URL.revokeObjectURL(url));
    this.grid = null;
    this.gridBox.hidden = true;
    this.gridBox.replaceChildren();
    delete this.root.dataset.grid;
    this.showButtons();
  }

  /* ----- keys, buttons, mouse ----- */

  /** The box of buttons around us, made by `labeller.py`, or just ourselves. */
  get host() {
    return this.root.closest(".labeller") ?? this.root;
  }

  listen(el) {
    const { signal } = this.stops;
    const attach = () => {
      if (this.attached || !this.root.isConnected) return;
      this.attached = true;
      const host = this.host;
      host.dataset.lmSuppressShortcuts = "true";
      host.addEventListener("keydown", (event) => this.onKey(event), { signal });
      host.addEventListener("keyup", (event) => this.onKeyUp(event), { signal });
      host.addEventListener("click", (event) => this.onClick(event), { signal });
      host.addEventListener("focusout", (event) => {
        if (!host.contains(event.relatedTarget)) this.letGo();
      }, { signal });
      this.showButtons();
    };
    this.resizes = new ResizeObserver(() => {
      attach();
      this.areLinesOld = true;
      this.paintSoon();
    });
    this.resizes.observe(this.stage);
    this.themes = new MutationObserver(() => {
      this.areLinesOld = true;
      this.paintSoon();
    });
    this.themes.observe(document.body, { attributeFilter: ["data-jp-theme-light", "class"] });
    window.addEventListener("blur", () => this.letGo(), { signal });
    this.film.addEventListener("pointerdown", (event) => this.onFilm(event), { signal });
    for (const band of [this.close, this.whole]) {
      band.box.addEventListener("pointerdown", (event) => this.onBand(event, band), { signal });
    }
    this.stage.addEventListener("pointerdown", () => this.root.focus({ preventScroll: true }), { signal });
  }

  /** The focus leaves while a class key is down: its key-up will not reach us. */
  letGo() {
    if (this.held) this.releaseClass(this.held.idx);
  }

  /** Run the command of a key; no key goes on to the notebook. */
  onKey(event) {
    event.stopPropagation();
    const key = nameKey(event);
    if (event.target.closest("input, textarea, select")) {
      if (key === "escape") this.root.focus({ preventScroll: true });
      return;
    }
    if (["space", "enter"].includes(key) && event.target.closest("button")) return;
    const idx = this.classOfKey(key);
    if (this.grid && ["arrowleft", "arrowright"].includes(key)) {
      this.moveGrid(key === "arrowright" ? 1 : -1);
    } else if (idx !== null) {
      if (!event.repeat) this.pressClass(idx, key.startsWith("shift+") || !this.hold);
    } else if (COMMAND_OF_KEY.has(key)) {
      const command = COMMAND_OF_KEY.get(key);
      if (!event.repeat || REPEATING.has(command)) this.run(command);
    } else if (key === "ctrl+s") {
      this.say("Labels save themselves, each as it is given.");
    } else if (!["shift+enter", "ctrl+enter", "alt+enter"].includes(key)) {
      return; // the browser's own: tab, copy, reload
    }
    event.preventDefault();
  }

  onKeyUp(event) {
    event.stopPropagation();
    const idx = this.classOfKey(nameKey(event).replace("shift+", ""));
    if (idx !== null) this.releaseClass(idx);
  }

  classOfKey(key) {
    const plain = key.replace("shift+", "");
    const idx = this.labels.classes.findIndex((c) => c.key === plain);
    return idx >= 0 ? idx : /^[1-9]$/.test(plain) ? Number(plain) - 1 : null;
  }

  run(command) {
    if (this.n || command === "help") COMMANDS[command][2](this);
  }

  /** Clicks on the ipywidgets buttons: each carries its command in its class name. */
  onClick(event) {
    const button = event.target.closest("button[class*='labeller-do-']");
    if (!button) return;
    const [, command, value] = /labeller-do-([a-z_]+)(?:-([\w.]+))?/.exec(button.className);
    const chosen = {
      class: () => {
        this.pressClass(Number(value), !this.hold);
        this.releaseClass(Number(value));
      },
      speed: () => this.chooseSpeed(Number(value.replace("_", "."))),
      step: () => this.setStep(STEPS.indexOf(Number(value))),
      view: () => this.setView(value),
    };
    if (value !== undefined && chosen[command]) chosen[command]();
    else if (COMMANDS[command]) this.run(command);
    this.root.focus({ preventScroll: true });
  }

  /** Show on the buttons what is on, and what cannot be done now. */
  showButtons() {
    const on = {
      play: Boolean(this.playing),
      [`speed-${String(this.speed).replace(".", "_")}`]: true,
      [`step-${this.stride}`]: true,
      [`view-${this.view}`]: true,
      unit: this.unit === "segment",
      hold: !this.hold,
      grid: Boolean(this.grid),
      help: !this.helpBox.hidden,
      [`class-${(this.stroke ?? this.held)?.idx}`]: true,
    };
    for (const button of this.host.querySelectorAll("button[class*='labeller-do-']")) {
      const name = /labeller-do-([\w.-]+)/.exec(button.className)[1];
      button.classList.toggle("labeller-on", Boolean(on[name]));
      const can = this.labels[`can_${name}`];
      if (can !== undefined) button.classList.toggle("labeller-off", !can);
    }
  }

  drag(event, move, up) {
    this.root.focus({ preventScroll: true });
    event.preventDefault();
    const target = event.currentTarget;
    target.setPointerCapture(event.pointerId);
    const stop = new AbortController();
    target.addEventListener("pointermove", move, { signal: stop.signal });
    const finish = (last) => {
      stop.abort();
      up(last);
    };
    target.addEventListener("pointerup", finish, { signal: stop.signal });
    target.addEventListener("pointercancel", finish, { signal: stop.signal });
  }

  /** Drag on the ruler scrubs; on the labels it chooses time, a click goes there. */
  onBand(event, band) {
    if (!this.n || event.button) return;
    this.stopPlaying();
    const from = band.time(event);
    const inRuler = event.clientY - band.box.getBoundingClientRect().top < 16;
    const startX = event.clientX;
    let isDrag = false;
    band.held = true; // keeps the close-up still while it is dragged on
    if (inRuler) this.goTime(from);
    this.drag(
      event,
      (move) => {
        isDrag ||= Math.abs(move.clientX - startX) > 3;
        if (inRuler) this.goTime(band.time(move));
        else if (isDrag) this.setSelection(this.snap(from, band.time(move)));
      },
      (last) => {
        band.held = false;
        if (inRuler) return;
        if (!isDrag) {
          this.setSelection(null);
          this.goTime(band.time(last));
        } else if (this.stroke?.latch) this.labelSelection(this.stroke.label);
        else if (this.selection) this.say("Now press a class, Backspace to erase, Esc to drop.");
        this.paintSoon();
      }
    );
  }

  /** The frames from time a to time b, as a stretch of time; null if it is empty. */
  snap(a, b) {
    const [low, high] = [Math.min(a, b), Math.max(a, b)];
    const first = Math.max(lastAtOrBefore(this.times, low), 0);
    const last = Math.max(lastAtOrBefore(this.times, high), first);
    return [this.time(first), this.end(last)];
  }

  onFilm(event) {
    if (!this.n) return;
    const { cells } = this.filmLayout();
    const x = event.clientX - this.film.getBoundingClientRect().left;
    const cell = cells.find((c) => x >= c.x && x < c.x + c.w);
    this.root.focus({ preventScroll: true });
    event.preventDefault();
    if (cell && cell.row >= 0 && cell.row < this.n) {
      this.stopPlaying();
      this.go(cell.row);
    }
  }

  toggleHelp() {
    this.helpBox.hidden = !this.helpBox.hidden;
    if (!this.helpBox.hidden) this.fillHelp();
    this.showButtons();
  }

  fillHelp() {
    this.helpBox.replaceChildren();
    const row = (keys, words) => {
      const line = element("div", "lb-help-row", this.helpBox);
      const box = element("span", "lb-help-keys", line);
      keys.forEach((key) => element("kbd", "lb-kbd", box, writeKey(key)));
      element("span", "", line, words);
    };
    this.labels.classes.forEach((c) => c.key && row([c.key], c.name));
    row(["shift+1"], "paint a class until pressed again");
    for (const [keys, words] of Object.values(COMMANDS)) row(keys.slice(0, 1), words);
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
    this.store.want(this.row, this.direction, this.stride, this.shownRows);
  }

  paint() {
    if (!this.n || !this.stage.clientWidth) return;
    const rows = this.filmLayout().cells.map((cell) => cell.row);
    this.shownRows = new Set(rows.filter((row) => row >= 0 && row < this.n));
    this.wantMore();
    this.drawPicture();
    this.drawFilm();
    if (this.areLinesOld) this.drawLines();
    this.placeBands();
    this.showHere();
    const t = formatTime(this.time(), 2);
    this.clock.textContent =
      `${t} of ${formatTime(this.endTime, 1)} · frame ${this.frameIdx[this.row]}`;
    this.root.dataset.row = String(this.row);
  }

  drawPicture() {
    const bitmap = this.store.bitmaps.get(this.row);
    const image = bitmap ?? this.store.standIn(this.row);
    const { ctx, width, height } = prepareCanvas(this.picture);
    const box = fit(...this.size, width, height);
    if (image && this.view !== "skeleton") {
      ctx.drawImage(image, box.x, box.y, box.w, box.h);
    } else {
      ctx.fillStyle = "#20242b";
      ctx.fillRect(box.x, box.y, box.w, box.h);
    }
    const keypoints = this.store.jpegs.get(this.row)?.keypoints;
    if (keypoints && this.view !== "picture") drawSkeleton(ctx, keypoints, this.skeleton, box);
    if (!bitmap) {
      ctx.font = "12px sans-serif";
      ctx.fillStyle = "#ffffff";
      ctx.fillText(image ? "loading …" : "waiting for the kernel …", box.x + 10, box.y + 20);
      clearTimeout(this.retryTimer);
      this.retryTimer = setTimeout(() => this.paintSoon(), BATCH_LOST_AFTER_MS + 100);
    }
    if (bitmap) this.root.dataset.painted = String(this.row); // the frame, no stand-in
    const detail = { row: this.row, isExact: Boolean(bitmap), isShown: Boolean(image) };
    this.root.dispatchEvent(new CustomEvent("labeller-painted", { detail }));
  }

  filmLayout() {
    const { clientWidth: width, clientHeight: height } = this.film;
    const picture = height - 8;
    const wanted = picture * clamp(this.size[0] / this.size[1], 0.5, 2);
    const half = Math.max(1, Math.round(width / wanted / 2 - 0.5));
    const w = width / (2 * half + 1);
    const cells = [];
    for (let k = -half; k <= half; k++) {
      cells.push({ row: this.row + k * this.stride, x: (k + half) * w, w, isHere: k === 0 });
    }
    return { cells, picture };
  }

  drawFilm() {
    const { ctx, height } = prepareCanvas(this.film);
    const { cells, picture } = this.filmLayout();
    const style = getComputedStyle(this.root);
    for (const { row, x, w, isHere } of cells) {
      if (row < 0 || row >= this.n) continue;
      const image = this.store.bitmaps.get(row) ?? this.store.standIn(row);
      if (image && this.view !== "skeleton") ctx.drawImage(image, x + 1, 0, w - 2, picture);
      else {
        ctx.fillStyle = "#20242b";
        ctx.fillRect(x + 1, 0, w - 2, picture);
        const keypoints = this.store.jpegs.get(row)?.keypoints;
        const box = { x: x + 1, y: 0, w: w - 2, h: picture };
        if (keypoints) drawSkeleton(ctx, keypoints, this.skeleton, box);
      }
      const label = this.labelAt(this.time(row));
      if (label !== null) ctx.fillStyle = this.colour(label);
      if (label !== null) ctx.fillRect(x + 1, picture + 2, w - 2, 5);
      else hatch(ctx, x + 1, picture + 2, w - 2, 5, style.getPropertyValue("--lb-faint"), 4);
      if (isHere) {
        ctx.strokeStyle = style.getPropertyValue("--lb-accent");
        ctx.lineWidth = 2;
        ctx.strokeRect(x + 1, 1, w - 2, height - 2);
      }
    }
  }

  get look() {
    return {
      ...this.labels,
      pending: [...this.pending.values()].filter(
        (action) => action.end_s !== undefined && action.video === this.video
      ),
      colour: (label) => this.colour(label),
    };
  }

  /** Draw both time lines anew: labels, size or colours have changed. */
  drawLines() {
    this.areLinesOld = false;
    const isTight = this.whole.canvas.clientWidth / this.n < 3; // pixels a frame
    this.close.box.hidden = !isTight;
    this.whole.draw(this.look);
    if (isTight) this.drawCloseUp();
  }

  drawCloseUp() {
    if (!this.close.held) {
      const rows = clamp(Math.floor(this.close.canvas.clientWidth / 6), 20, this.n);
      const first = clamp(this.row - (rows >> 1), 0, this.n - rows);
      this.close.range(this.time(first), this.end(first + rows - 1));
    }
    const { t0, t1 } = this.close;
    const inside = (list) => list.filter(([start, end]) => end > t0 && start < t1);
    const look = this.look;
    for (const name of ["spans", "segments", "proposals", "no_person"]) look[name] = inside(look[name]);
    this.close.draw(look);
  }

  placeBands() {
    const marked = this.markedStart === null ? null : [this.markedStart, this.end()].sort((a, b) => a - b);
    const selection = this.selection ?? marked;
    if (!this.close.box.hidden) {
      this.drawCloseUp();
      this.close.place(this.time(), selection);
    }
    this.whole.place(this.time(), selection);
  }

  /** The chips on the picture: the label here, what is proposed, what is being painted. */
  showHere() {
    const label = this.labelAt(this.time());
    const isEmpty = spanAt(this.labels.no_person, this.time()) !== null;
    this.here.textContent = `${label ?? "unlabelled"}${isEmpty ? " · nobody seen" : ""}`;
    this.here.dataset.empty = String(label === null);
    const colour = label === null ? "" : this.colour(label);
    this.here.style.background = colour;
    this.here.style.color = colour && inkOn(colour);
    const proposal = spanAt(this.labels.proposals, this.time());
    this.offer.hidden = !proposal || label !== null;
    if (proposal) {
      const sure = Number.isFinite(proposal[3]) ? ` ${Math.round(100 * proposal[3])} %` : "";
      this.offer.textContent = `${proposal[2]}?${sure} · Enter accepts`;
      this.offer.style.borderColor = this.colour(proposal[2]);
    }
  }

  showStroke() {
    const { stroke, selection } = this;
    this.painting.hidden = !stroke && !selection;
    if (stroke) this.painting.textContent = `painting ${stroke.label}`;
    else if (selection) {
      this.painting.textContent = `${formatSeconds(selection[1] - selection[0])} chosen: press a class`;
    }
    this.painting.style.background = stroke ? this.colour(stroke.label) : "";
    this.painting.style.color = stroke ? inkOn(this.colour(stroke.label)) : "";
    this.showButtons();
  }

  dispose() {
    this.stopPlaying();
    this.stops.abort();
    this.resizes.disconnect();
    this.themes.disconnect();
    this.closeGrid();
    this.store.clear(0);
    for (const name of ["saved", "toast", "place", "retry"]) clearTimeout(this[`${name}Timer`]);
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
