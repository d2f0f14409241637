/* The list of classes: a button with its key and seconds for each, and what changes them. */

import { button, element, select } from "./dom.js";
import { formatSeconds, inkOn } from "../logic/format.js";

const SPECIAL_KEYS = ["0", "u"]; // "none of these" and "unsure": no classes to change

export class ClassList {
  /** `ui` is the widget that joins the parts. */
  constructor(ui, parent) {
    this.ui = ui;
    this.edited = null; // the class whose form is open
    this.keys = ""; // what keys classes can have
    this.box = element("div", "lb-classes", parent);
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", "Classes");
    this.field = element("input", "lb-field", parent);
    this.field.setAttribute("aria-label", "Name of a new class");
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.add();
    });
    this.buttons = [];
    this.shown = "";
  }

  /** Draw the list anew if classes have changed, else the seconds alone. */
  show() {
    const { classes, seconds = {} } = this.ui.labels;
    const drawn = JSON.stringify([classes, this.edited]);
    if (drawn !== this.shown) this.draw(classes);
    this.shown = drawn;
    const longest = Math.max(...Object.values(seconds), 1e-9);
    this.buttons.forEach(({ name, bar }) => {
      const value = seconds[name] ?? 0;
      bar.firstChild.style.width = `${(100 * value) / longest}%`;
      bar.lastChild.textContent = value.toFixed(1);
      bar.title = `${formatSeconds(value)} of ${name} are labelled`;
    });
    const { stroke, held } = this.ui.painter;
    const idx = (stroke ?? held)?.idx;
    this.buttons.forEach(({ made }, i) => made.setAttribute("aria-pressed", String(i === idx)));
  }

  /** The classes that a person has named. */
  get own() {
    return this.ui.labels.classes.filter((c) => !SPECIAL_KEYS.includes(c.key));
  }

  draw(classes) {
    this.box.replaceChildren();
    const { own } = this;
    this.field.placeholder = own.length
      ? "another class, Enter"
      : "name your first posture, Enter";
    this.buttons = classes.map((each, idx) => this.drawRow(each, idx, own));
  }

  drawRow({ name, key, colour, pattern }, idx, own) {
    const row = element("div", "lb-class-row", this.box);
    const made = button(row, "", `label: ${name}`);
    made.classList.add("lb-class");
    made.dataset.command = "class";
    made.dataset.value = idx;
    made.style.background = colour;
    made.style.color = inkOn(colour);
    if (pattern) element("span", "lb-pattern", made).dataset.pattern = pattern;
    element("kbd", "lb-class-key", made, key.toUpperCase());
    element("span", "lb-class-name", made, name);
    made.addEventListener("click", () => this.ui.clickClass(idx));
    const bar = element("div", "lb-bar", row);
    element("div", "lb-bar-fill", bar).style.background = colour;
    element("span", "", bar);
    if (own.some((c) => c.name === name)) {
      const more = button(row, "⋯", `change ${name}: its name, colour, key, place in the list, or labels`);
      more.classList.add("lb-more");
      more.setAttribute("aria-expanded", String(this.edited === name));
      more.addEventListener("click", () => this.edit(this.edited === name ? null : name));
      if (this.edited === name) this.drawForm({ name, key, colour }, own.map((c) => c.name));
    } else element("span", "lb-more", row);
    return { name, made, bar };
  }

  /** Open the form of a class, or close it. */
  edit(name) {
    this.edited = name;
    this.show();
    if (name === null) this.ui.focus();
    else this.box.querySelector(".lb-class-form input").focus();
  }

  drawForm({ name, key, colour }, names) {
    const form = element("div", "lb-class-form", this.box);
    const field = element("input", "lb-field", form);
    field.value = name;
    field.setAttribute("aria-label", `New name of ${name}`);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.change({ action: "rename_class", old: name, new: field.value });
      if (event.key === "Escape") this.edit(null);
    });
    const act = (text, words, action) => {
      const made = button(form, text, words);
      made.addEventListener("click", () => this.change(action));
      return made;
    };
    const own = element("input", "lb-field lb-colour", form);
    Object.assign(own, { type: "color", value: colour, title: "colour, also in charts and films" });
    own.setAttribute("aria-label", `Colour of ${name}`);
    const look = (how, value) => this.change({ action: "look_class", name, how, value });
    own.addEventListener("change", () => look("colour", own.value));
    const keys = select(form, `Key of ${name}`, { "": "no key" }, (value) => look("key", value));
    keys.fill(Object.fromEntries([...this.keys].map((k) => [`${k}`, `key ${k.toUpperCase()}`])), key);
    const at = names.indexOf(name);
    const move = (to) => ({ action: "move_class", name, to });
    if (at > 0) act("↑", `move ${name} up: key and colour follow the order`, move(at - 1));
    if (at < names.length - 1) act("↓", `move ${name} down: key and colour follow the order`, move(at + 1));
    const into = element("select", "lb-select", form);
    into.setAttribute("aria-label", `Merge ${name} into another class`);
    element("option", "", into, "merge into …").value = "";
    names.filter((each) => each !== name).forEach((each) => element("option", "", into, each));
    into.addEventListener("change", () => {
      if (into.value) this.change({ action: "merge_class", old: name, into: into.value });
    });
    act("delete", `delete ${name} and its labels; undo brings them back`, { action: "delete_class", name });
  }

  change(action) {
    if (!this.ui.act(action)) return;
    this.edited = null;
    this.show();
    this.ui.focus();
  }

  add() {
    const name = this.field.value.trim();
    if (!name) return this.ui.focus();
    if (!this.ui.act({ action: "add_class", name })) return;
    this.field.value = "";
  }

  /** To whoever has not labelled anything yet. */
  sayWhatKeysDo() {
    const [first] = this.own;
    if (!first || Object.keys(this.ui.labels.seconds ?? {}).length) return;
    const what = this.ui.painter.unit === "segment" ? "what is marked below the time line" : "this frame";
    this.ui.say(`Now press ${first.key.toUpperCase()}: it labels ${what} as ${first.name}.`);
  }

  /** To whoever has just given their first labels: one posture is nothing to tell apart. */
  askForSecond() {
    const [first, second] = this.own;
    if (this.hasAsked || !first || second) return;
    this.hasAsked = true;
    this.ui.say(
      `Saved. Another posture? Name it in "another class", Enter, Esc: two are needed. ` +
        `${first.key.toUpperCase()} goes on with ${first.name}.`,
      { canUndo: true }
    );
  }

  /** Ask for the name of a class that a key was pressed for. */
  ask() {
    this.field.focus({ preventScroll: true });
  }
}
