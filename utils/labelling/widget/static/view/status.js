/* What the widget says: whether all is saved, what was done, and where we are. */

import { button, element } from "./dom.js";
import { formatTime, parseTime } from "../logic/format.js";

/** The sentence below the picture: stays until something else is done, and is announced. */
export class Saying {
  /** `ui` is the widget that joins the parts. */
  constructor(ui, parent) {
    this.box = element("div", "lb-said", parent);
    this.text = element("span", "", this.box);
    this.text.setAttribute("role", "status");
    this.undo = button(this.box, "undo", "take this back: ctrl Z");
    this.undo.addEventListener("click", () => {
      ui.run("undo");
      ui.focus(); // before this button goes, and the focus with it
    });
    this.clear();
  }

  /** Say a sentence; `canUndo` puts a button beside it. */
  say(text, { isError = false, canUndo = false } = {}) {
    this.text.textContent = text;
    this.box.classList.toggle("lb-error", isError);
    this.undo.hidden = !canUndo;
  }

  clear() {
    this.say("");
  }
}

/** Where the playhead is; asks for a time to go to. */
export class Clock {
  /** `ui` is the widget that joins the parts. */
  constructor(ui, parent) {
    this.ui = ui;
    this.text = button(parent, "", "go to a time: :");
    this.text.className = "lb-clock";
    this.text.addEventListener("click", () => this.ask());
    this.field = element("input", "lb-field lb-clock-field", parent);
    this.field.setAttribute("aria-label", "Time to go to, as 1:23.4 or in seconds");
    this.field.placeholder = "1:23.4, Enter";
    this.field.hidden = true;
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.go();
      if (event.key === "Escape") this.close();
    });
    this.field.addEventListener("blur", () => this.close(false));
  }

  show() {
    const { player, frameIdx } = this.ui;
    const t = formatTime(player.time(), 2);
    this.text.textContent = `${t} of ${formatTime(player.endTime, 1)} · frame ${frameIdx[player.row]}`;
    this.text.setAttribute("aria-label", `${this.text.textContent}; go to a time`);
  }

  ask() {
    this.text.hidden = true;
    this.field.hidden = false;
    this.field.value = "";
    this.field.focus({ preventScroll: true });
  }

  go() {
    const t = parseTime(this.field.value);
    if (t === null) return this.ui.say("That is no time: write 1:23.4, or seconds.", { isError: true });
    this.ui.player.stop();
    this.ui.saying.clear();
    this.ui.player.goTime(t);
    return this.close();
  }

  close(isFocusOurs = true) {
    this.field.hidden = true;
    this.text.hidden = false;
    if (isFocusOurs) this.ui.focus();
  }
}

/** Offers what an earlier page, or a kernel that went, has not written. */
export class Offer {
  /** `saving` writes them, or forgets them. */
  constructor(saving, parent) {
    this.box = element("div", "lb-unwritten", parent);
    this.box.setAttribute("role", "alert");
    this.text = element("span", "", this.box);
    this.write = button(this.box, "write them now", "give these labels to the kernel again");
    this.drop = button(this.box, "drop them", "forget these labels");
    this.write.addEventListener("click", () => saving.writeAgain());
    this.drop.addEventListener("click", () => saving.forget());
  }

  /** Show what is unwritten; it can be written once a kernel answers. */
  show(unwritten, canWrite) {
    this.box.hidden = !unwritten.length;
    this.write.hidden = this.drop.hidden = !canWrite;
    if (!unwritten.length) return;
    const each = unwritten.slice(0, 3).map(describeSpan).join("; ");
    const more = unwritten.length > 3 ? ` and ${unwritten.length - 3} more` : "";
    const n = unwritten.length;
    this.text.textContent = `${n} label${n > 1 ? "s were" : " was"} not written: ${each}${more}.`;
  }
}

function describeSpan({ video, start_s: start, end_s: end, frames, label }) {
  const what = label === null ? "erased" : label;
  if (frames) return `${what}, ${frames.length} frames`;
  return `${what}, ${video} ${formatTime(start, 1)} to ${formatTime(end, 1)}`;
}
