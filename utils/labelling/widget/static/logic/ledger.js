/* What is labelled, and what was asked of the kernel but is not on disk yet.
 *
 * An action is pending until the kernel has said that it is on disk. If the kernel goes,
 * what is pending becomes unwritten: it is drawn no more, and offered again later.
 */

import { spanAt } from "./spans.js";

const LATE_MS = 1000; // an answer takes some 20 ms; a person goes on after seconds

export class Ledger {
  /** `viewId` tells the actions of this page from those of another. */
  constructor(viewId) {
    this.viewId = viewId;
    this.labels = { spans: [], proposals: [], segments: [], no_person: [], classes: [], order: "time" };
    this.pending = new Map(); // seq -> action not yet acknowledged
    this.unwritten = []; // spans that were never acknowledged, to be offered again
    this.moved = new Map(); // video -> [from, to] of each edge of segments that was dragged
    this.count = 0;
    this.refusal = "";
  }

  /** Note an action that goes out now; returns it with its number. */
  note(action, now) {
    this.count += 1;
    const seq = `${this.viewId}-${this.count}`;
    this.pending.set(seq, { ...action, seq, sent: now, saved: false });
    return { ...action, seq };
  }

  /** Take an answer; returns the action that it answers, if it was one of ours. */
  settle({ seq, ok, reason }) {
    const action = this.pending.get(seq);
    if (ok && action) {
      action.saved = true; // stays drawn until the kernel sends the labels anew
      this.refusal = "";
    } else if (!ok) {
      this.pending.delete(seq);
      this.refusal = reason;
    }
    return action;
  }

  /** Take the labels as they are on disk; what does not change is not sent anew. */
  take(labels) {
    this.labels = { ...this.labels, ...labels };
    if (labels.segments) {
      for (const [from, to] of this.moved.get(labels.video) ?? []) this.applyMove(from, to);
    }
    for (const [seq, action] of this.pending) if (action.saved) this.pending.delete(seq);
  }

  /** Move an edge between segments, for as long as this page is open. */
  moveSegment(video, from, to) {
    this.moved.set(video, [...(this.moved.get(video) ?? []), [from, to]]);
    this.applyMove(from, to);
  }

  applyMove(from, to) {
    const move = (t) => (Math.abs(t - from) < 1e-6 ? to : t);
    this.labels.segments = this.labels.segments.map(([start, end, ...rest]) => [move(start), move(end), ...rest]);
  }

  get waiting() {
    return [...this.pending.values()].filter((action) => !action.saved);
  }

  /** Actions on times of this video that the labels do not show yet. */
  pendingIn(video) {
    return [...this.pending.values()].filter(
      (action) => action.end_s !== undefined && action.video === video
    );
  }

  /** The label of time t as it will be once everything pending is saved. */
  labelAt(t, video) {
    let found = spanAt(this.labels.spans, t)?.[2] ?? null;
    for (const p of this.pending.values()) {
      if (p.video === video && p.start_s <= t && t < p.end_s) found = p.label;
    }
    return found;
  }

  /** Whether the label of time t is not known to be on disk. */
  isPendingAt(t, video) {
    return this.waiting.some((p) => p.video === video && p.start_s <= t && t < p.end_s);
  }

  look(label) {
    return this.labels.classes.find((c) => c.name === label) ?? { colour: "#888888", pattern: 0 };
  }

  /**
   * The kernel will not answer what it was asked before the time `sent`: stop to draw it.
   *
   * `isOnDisk` says of a span whether the labels show it: then just the answer was lost.
   */
  giveUp(sent = Infinity, isOnDisk = () => false) {
    const lost = this.waiting.filter((action) => action.sent < sent);
    for (const { seq } of lost) this.pending.delete(seq);
    this.unwritten = joinSpans([...this.unwritten, ...listSpans(lost).filter((s) => !isOnDisk(s))]);
    return lost.length;
  }

  /**
   * Whether everything is on disk, in words, and whether to label on.
   *
   * `kernel` is what is known of it: "alive", "busy", "lost", "gone", or "".
   */
  describe(now, kernel = "") {
    const { waiting } = this;
    const isLate = waiting.length > 0 && now - waiting[0].sent > LATE_MS;
    const bad = (text, canLabel = false) => ({ state: "bad", text, canLabel, isLate });
    const nSent = waiting.filter((action) => action.action !== "ready").length;
    const n = nSent + this.unwritten.length;
    const count = n ? ` (${n} not written)` : "";
    if (kernel === "gone") return bad(`not saved: the kernel is gone; run this cell again${count}`);
    if (kernel === "lost") return bad(`not saved: no connection to the kernel; trying again${count}`);
    if (isLate && kernel === "busy") {
      return bad(`not saved yet: ${nSent} waiting for the kernel, which is busy`, true);
    }
    if (isLate) return bad(`not saved: the kernel does not answer; run this cell again${count}`);
    if (waiting.length) return { state: "wait", text: "saving", canLabel: true, isLate };
    if (this.unwritten.length) return bad(`not saved: ${n} of before`, true);
    if (this.refusal) return bad(`not saved: ${this.refusal}`, true);
    return { state: "ok", text: "saved", canLabel: true, isLate };
  }
}

/** The spans, and the groups of frames, that some actions would label; null erases. */
export function listSpans(actions) {
  return joinSpans(
    actions
      .filter((a) => a.end_s !== undefined || a.frames)
      .map(({ video, start_s, end_s, frames, label }) =>
        frames ? { video, frames, label } : { video, start_s, end_s, label }
      )
  );
}

/** Join what lies end to end, as the pieces of a stroke do. */
function joinSpans(spans) {
  const joined = [];
  for (const span of spans) {
    const last = joined.at(-1);
    const goesOn = last && !last.frames && !span.frames && last.video === span.video
      && last.label === span.label && last.start_s <= span.end_s && span.start_s <= last.end_s;
    if (!goesOn) joined.push({ ...span });
    else {
      last.start_s = Math.min(last.start_s, span.start_s);
      last.end_s = Math.max(last.end_s, span.end_s);
    }
  }
  return joined;
}

/** Whether `spans` show a label, or none, over all of a span. */
export function isShown(spans, { start_s: start, end_s: end, label }) {
  if (label === null) return !spans.some(([a, b]) => a < end - 1e-3 && b > start + 1e-3);
  let at = start;
  for (const [a, b, name] of spans) {
    if (name === label && a <= at + 2e-3 && b > at) at = b;
  }
  return at >= end - 2e-3;
}
