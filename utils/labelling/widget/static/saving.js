/* Whether what was labelled is on disk, while kernels are busy, restarted and lost. */

import { watchKernel } from "./kernel.js";
import { isShown, Ledger, listSpans } from "./logic/ledger.js";
import { Unwritten } from "./logic/unwritten.js";
import { element } from "./view/dom.js";
import { Offer } from "./view/status.js";

const PROBE_AFTER_MS = 2000; // of silence; then more and more seldom
const PROBE_AT_MOST_MS = 30_000;

export class Saving {
  /** `ui` is the widget that joins the parts. */
  constructor(ui, viewId) {
    this.ui = ui;
    this.ledger = new Ledger(viewId);
    this.unwritten = new Unwritten(findStorage(), viewId);
    this.kernelIs = "";
    this.isAnswered = false; // by a kernel: a page may show what an old one has left
    this.syncedAt = null;
    this.isLeft = false;
    this.probeAfterMs = PROBE_AFTER_MS;
  }

  build(head, root) {
    this.text = element("span", "lb-saved", head);
    this.text.setAttribute("role", "status");
    this.offer = new Offer(this, root);
  }

  watch(manager, el) {
    this.kernel = watchKernel(manager, el, (kernelIs) => this.takeKernel(kernelIs));
  }

  /** Labels of this file are shown. */
  open(file) {
    this.unwritten.open(file);
  }

  /** A kernel has answered: offer it what was not written before. */
  takeAnswer() {
    if (this.isAnswered) return;
    this.isAnswered = true;
    this.ledger.unwritten.push(...this.unwritten.take(Date.now()));
    this.show();
  }

  send(message) {
    this.ui.request("act", this.ledger.note(message, performance.now()));
    this.show();
  }

  /** Take an answer; returns the action that it answers, if it was one of ours. */
  settle(done) {
    const action = this.ledger.settle(done);
    if (action?.action === "ready") this.syncedAt = action.sent;
    if (!done.ok && action?.isAgain) this.ledger.unwritten.push(...listSpans([action]));
    this.show();
    return action;
  }

  /** Labels have come; after a lost connection they say what has arrived before. */
  takeLabels() {
    if (this.syncedAt === null) return;
    const { spans } = this.ui.labels;
    const isOnDisk = (s) => s.video === this.ui.video && !s.frames && isShown(spans, s);
    this.ledger.giveUp(this.syncedAt, isOnDisk);
    this.syncedAt = null;
    this.show();
  }

  /** Whether the label at time t is not on disk, and this is no mere matter of a moment. */
  isUnsafeAt(t) {
    return this.text.dataset.state === "bad" && this.ledger.isPendingAt(t, this.ui.video);
  }

  /** Take what the page knows of the kernel now: see `readKernel`. */
  takeKernel(kernelIs) {
    const wasLost = this.kernelIs === "lost";
    this.kernelIs = kernelIs;
    if (kernelIs === "gone") this.ledger.giveUp();
    if (["gone", "lost"].includes(kernelIs)) this.ui.painter.drop();
    else if (wasLost) this.probe();
    this.show();
    this.ui.timeline.isOld = true;
    this.ui.paintSoon();
  }

  /** Ask for an answer: what went out before, and is not answered before, was lost. */
  probe() {
    this.send({ action: "ready", video: this.ui.video, position: this.ui.player.row });
  }

  /** Whether there is a kernel to put an action on disk; if not, say so. */
  check() {
    this.kernel?.look();
    const { canLabel, text } = this.show();
    if (!canLabel) {
      this.ui.painter.drop();
      this.ui.say(text, { isError: true });
    }
    return canLabel;
  }

  /** Say whether everything is on disk, and keep aside what is not. */
  show() {
    const found = this.ledger.describe(performance.now(), this.kernelIs);
    const { state, text, isLate, canLabel } = found;
    if (this.text.textContent !== text) {
      Object.assign(this.text, { textContent: text, title: text });
      this.text.dataset.state = state;
    }
    this.offer.show(this.ledger.unwritten, canLabel && Boolean(this.isAnswered));
    this.keep(this.kernelIs === "gone");
    clearTimeout(this.timer);
    if (state === "wait") this.timer = setTimeout(() => this.show(), 250);
    else if (!isLate) this.probeAfterMs = PROBE_AFTER_MS;
    else if (this.kernelIs !== "busy") {
      this.timer = setTimeout(() => this.probe(), this.probeAfterMs);
      this.probeAfterMs = Math.min(2 * this.probeAfterMs, PROBE_AT_MOST_MS);
    }
    return found;
  }

  /** Keep aside what is not on disk; once another page may take it over, no more. */
  keep(isLeft) {
    if (this.isLeft) return;
    this.isLeft = isLeft;
    const spans = [...this.ledger.unwritten, ...listSpans(this.ledger.waiting)];
    this.unwritten.keep(spans, Date.now(), isLeft);
  }

  /** Give the kernel again what it never acknowledged. */
  writeAgain() {
    const spans = this.ledger.unwritten.splice(0);
    const known = new Set([null, ...this.ui.labels.classes.map((c) => c.name)]);
    for (const span of spans) {
      if (!known.has(span.label)) this.ui.act({ action: "add_class", name: span.label });
      known.add(span.label);
      const position = span.video === this.ui.video ? this.ui.player.row : 0;
      const action = span.frames ? "label_many" : "label";
      if (!this.ui.act({ action, position, isAgain: true, ...span })) this.ledger.unwritten.push(span);
    }
    this.show();
    this.ui.focus();
  }

  forget() {
    this.ledger.unwritten = [];
    this.show();
    this.ui.focus();
  }

  dispose() {
    this.kernel.stop();
    this.keep(true);
    clearTimeout(this.timer);
  }
}

/** Where the browser keeps things from page to page; null where it does not let us. */
function findStorage() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
