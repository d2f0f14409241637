/* Teaching from the camera: who, which postures, and keys that are held. */

import { Recorder } from "./recorder.js";
import { DownloadSaver } from "./savers.js";
import { make, spell } from "./view.js";

const KEYS = "123456789abcdefghijklmnopqrstuvwxyz";
const GREY = "#8a8a8a";

export class Teaching {
  /** `services`: {saver, keys: the element whose keys are ours, or none: the page's}. */
  constructor(view, services, signal) {
    this.view = view;
    this.saver = services.saver;
    this.classes = [];
    this.colours = {};
    this.stream = null; // while there is a camera
    this.recorder = null; // while it records
    this.hasDownloads = false;
    view.add.addEventListener("click", () => this.addClass());
    view.name.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.addClass();
    });
    view.record.addEventListener("click", () => (this.recorder ? this.stop() : this.start()));
    const onKey = (event) => this.pressKey(event);
    // in a notebook keys are ours only where the focus is, and then not the notebook's
    const keys = services.keys ?? document;
    keys.addEventListener("keydown", onKey, { signal });
    keys.addEventListener("keyup", onKey, { signal });
    globalThis.addEventListener("blur", () => this.letGo(), { signal }); // no keyup comes
  }

  /** Whether something would be lost if the page went now. */
  get isUnsaved() {
    return this.recorder !== null || this.hasDownloads;
  }

  /** Take a camera's stream; nothing of a film. */
  take(stream) {
    this.stream = stream ?? null;
    this.view.record.disabled = !this.stream;
  }

  /** The camera ends: what is recorded is kept first. */
  async end() {
    if (this.recorder) await this.stop();
    this.take(null);
  }

  /** List the postures that can be taught. */
  list(classes, colours) {
    this.classes = [...classes];
    this.colours = colours;
    this.listKeys();
  }

  listKeys() {
    const buttons = this.classes.map((label, i) => {
      const key = KEYS[i] ?? "";
      const hold = make("button", { type: "button", class: "live-key", disabled: !this.recorder });
      hold.append(make("kbd", {}, key.toUpperCase()), ` ${spell(label)}`);
      hold.style.borderColor = this.colours[label] ?? GREY;
      hold.addEventListener("pointerdown", () => this.hold(label));
      for (const end of ["pointerup", "pointerleave", "pointercancel", "blur"]) {
        hold.addEventListener(end, () => this.letGo(label));
      }
      hold.addEventListener("keydown", (event) => {
        if (event.key === " " && !event.repeat) this.hold(label);
      });
      hold.addEventListener("keyup", (event) => {
        if (event.key === " ") this.letGo(label);
      });
      return hold;
    });
    this.view.keys.replaceChildren(...buttons);
  }

  addClass() {
    const name = this.view.name.value.trim();
    if (!name || this.classes.includes(name)) return;
    this.classes.push(name);
    this.view.name.value = "";
    this.listKeys();
  }

  pressKey(event) {
    if (!this.recorder || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches?.("input:not([type=checkbox]), select, textarea")) return;
    const i = KEYS.indexOf(event.key.toLowerCase());
    if (i < 0 || i >= this.classes.length) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.type === "keyup") this.letGo(this.classes[i]);
    else if (!event.repeat) this.hold(this.classes[i]);
  }

  hold(label) {
    if (!this.recorder) return;
    this.recorder.press(label);
    this.markHeld(label);
  }

  /** The key of a label came up; without one, whichever is held. */
  letGo(label = this.recorder?.held?.label) {
    if (!this.recorder?.held || this.recorder.held.label !== label) return;
    this.recorder.release();
    this.markHeld(null);
  }

  markHeld(label) {
    [...this.view.keys.children].forEach((key, i) => {
      key.classList.toggle("live-held", label !== null && this.classes[i] === label);
    });
  }

  async start() {
    const { stream } = this;
    const who = this.view.who.value.trim() || "me";
    const recorder = new Recorder(stream, this.saver, () => this.showKept(recorder));
    this.view.record.disabled = true;
    try {
      await recorder.start(who);
    } catch (error) {
      this.view.kept.textContent = `Nothing is recorded: ${error.message}`;
      this.view.record.disabled = !this.stream;
      return;
    }
    this.recorder = recorder;
    if (this.stream !== stream) {
      await this.stop(); // the camera ended meanwhile
      return;
    }
    this.markRecording(true);
    this.view.record.focus({ preventScroll: true }); // it lost the focus while disabled
    this.showKept(recorder);
  }

  async stop() {
    const { recorder } = this;
    this.recorder = null;
    this.markRecording(false);
    try {
      await recorder.stop();
    } catch {
      // said by showKept
    }
    this.showKept(recorder, true);
    this.offerDownloads();
  }

  markRecording(isOn) {
    const { record, root } = this.view;
    record.disabled = !isOn && !this.stream;
    record.textContent = isOn ? "Stop recording" : "Record";
    record.setAttribute("aria-pressed", String(isOn));
    root.classList.toggle("live-recording", isOn);
    this.listKeys();
  }

  showKept(recorder, isEnded = false) {
    const seconds = {};
    for (const { label, start_s, end_s } of recorder.spans) {
      seconds[label] = (seconds[label] ?? 0) + end_s - start_s;
    }
    const each = Object.entries(seconds).map(([label, s]) => `${spell(label)} ${s.toFixed(1)} s`);
    const what = each.length ? each.join(", ") : "no posture yet: hold a key";
    const where = isEnded ? `Kept ${this.saver.place}` : "Recording";
    this.view.kept.textContent = recorder.error
      ? `Not saved from here on: ${recorder.error.message}`
      : `${where}, ${recorder.name}: ${what}.`;
  }

  offerDownloads() {
    const { saver } = this;
    if (!(saver instanceof DownloadSaver)) return;
    this.hasDownloads = true;
    const items = saver.list().map(({ name, blob }) => {
      const link = make("a", { href: URL.createObjectURL(blob), download: name }, name);
      link.addEventListener("click", () => {
        this.hasDownloads = false;
      });
      return make("li", {}, link);
    });
    const hint = make("li", {}, "Put all of them into the folder of your films and make run. To labels and people that you have already, add the lines.");
    this.view.downloads.replaceChildren(...items, hint);
  }
}
