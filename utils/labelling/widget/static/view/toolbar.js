/* Rows of buttons, each of which stands for a command or chooses a value. */

import { button, element } from "./dom.js";
import { CHOICES, COMMANDS, describeCommand, IS_ON, writeKey } from "../logic/keys.js";

/** A key in the little room of a button. */
const writeHint = (key) => writeKey(key).replace("Backspace", "⌫").replace("shift", "⇧");

export class Toolbar {
  /** `groups` is [title, [command, text, value] each]; `hasKeys` shows keys on buttons. */
  constructor(ui, parent, groups, name, hasKeys = false) {
    this.ui = ui;
    this.box = element("div", "lb-tools", parent);
    this.box.setAttribute("role", "toolbar");
    this.box.setAttribute("aria-label", name);
    this.buttons = groups.flatMap(([title, buttons]) => {
      const group = element("div", "lb-group", this.box);
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", title);
      if (buttons[0][0] in CHOICES) element("span", "lb-group-title", group, title);
      return buttons.map(([command, text, value]) => {
        const made = button(group, text, describeCommand(command, value));
        made.dataset.command = command;
        if (hasKeys) element("span", "lb-hint", made, writeHint(COMMANDS[command][0][0]));
        if (value !== undefined) made.dataset.value = value;
        made.addEventListener("click", () => this.click(command, value));
        return { command, value, made };
      });
    });
  }

  click(command, value) {
    if (value === undefined) this.ui.run(command);
    else CHOICES[command].choose(this.ui, value);
    if (command !== "jump") this.ui.focus(); // that one asks for a text
  }

  /** Show on the buttons what is on, and what cannot be done now. */
  show() {
    for (const { command, value, made } of this.buttons) {
      const isOn = value === undefined
        ? IS_ON[command]?.(this.ui)
        : CHOICES[command].now(this.ui) === value;
      if (isOn !== undefined) made.setAttribute("aria-pressed", String(isOn));
      const can = this.ui.labels[`can_${command}`];
      if (can !== undefined) made.setAttribute("aria-disabled", String(!can));
    }
  }
}
