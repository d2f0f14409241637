/* What is labelled, and what was asked of the kernel but is not on disk yet. */

import { spanAt } from "./spans.js";

const KERNEL_SLOW_AFTER_MS = 4000;

export class Ledger {
  /** `viewId` tells the actions of this page from those of another. */
  constructor(viewId) {
    this.viewId = viewId;
    this.labels = { spans: [], proposals: [], segments: [], no_person: [], classes: [], order: "time" };
    this.pending = new Map(); // seq -> action not yet acknowledged
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
    for (const [seq, action] of this.pending) if (action.saved) this.pending.delete(seq);
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

  colour(label) {
    return this.labels.classes.find((c) => c.name === label)?.colour ?? "#888888";
  }

  /** Whether everything is on disk, in words; what the kernel has not answered is not. */
  describe(now) {
    const waiting = [...this.pending.values()].filter((action) => !action.saved);
    if (waiting.length && now - waiting[0].sent > KERNEL_SLOW_AFTER_MS) {
      const why = "waiting for the kernel (busy, or restarted? then run the cell again)";
      return { state: "bad", text: `not saved: ${waiting.length} ${why}`, mayChange: false };
    }
    if (waiting.length) return { state: "wait", text: "saving", mayChange: true };
    if (this.refusal) return { state: "bad", text: `not saved: ${this.refusal}`, mayChange: false };
    return { state: "ok", text: "saved", mayChange: false };
  }
}
