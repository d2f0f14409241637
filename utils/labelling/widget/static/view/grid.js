/* Look-alike frames side by side, labelled together. */

import { element } from "./dom.js";
import { formatTime } from "../logic/format.js";

export class Grid {
  /** `ui` is the widget that joins the parts. */
  constructor(ui, body) {
    this.ui = ui;
    this.shown = null;
    this.box = element("div", "lb-grid", body);
    this.box.hidden = true;
  }

  get isOpen() {
    return this.shown !== null;
  }

  /** The class of which the kernel was asked how much would change. */
  get asked() {
    return this.shown?.label;
  }

  toggle() {
    if (this.isOpen) return this.close();
    this.ui.player.stop();
    this.ui.painter.endStroke();
    this.ui.say("Looking for look-alike frames …");
    return this.ui.request("grid", { group: 0 });
  }

  open(message, buffers) {
    const urls = buffers.map((b) => URL.createObjectURL(new Blob([b], { type: "image/jpeg" })));
    this.close();
    this.shown = { ...message, urls, chosen: new Set(message.items.map((_, i) => i)) };
    this.head = element("div", "lb-grid-head", this.box);
    const cells = element("div", "lb-grid-cells", this.box);
    message.items.forEach((item, i) => this.addCell(cells, item, i));
    this.box.hidden = false;
    this.ui.root.dataset.grid = String(message.group);
    this.ui.showButtons();
    this.show();
  }

  addCell(cells, item, i) {
    const cell = element("button", "lb-cell", cells);
    cell.type = "button";
    cell.setAttribute("aria-pressed", "true");
    cell.tabIndex = -1;
    cell.title = `${item.video}, ${formatTime(item.time_s, 1)}`;
    const image = element("img", "", cell);
    image.src = this.shown.urls[i];
    image.alt = cell.title;
    element("span", "lb-cell-label", cell, item.label ?? item.video);
    cell.addEventListener("click", () => {
      const { chosen } = this.shown;
      chosen[chosen.has(i) ? "delete" : "add"](i);
      cell.setAttribute("aria-pressed", String(chosen.has(i)));
      this.shown.label = undefined;
      this.show();
      this.ui.focus();
    });
  }

  /** Say what is chosen, and how many seconds would change before anything does. */
  show(seconds) {
    if (!this.isOpen) return;
    const { chosen, items, group, n_groups: nGroups, label } = this.shown;
    let what = "Click pictures to leave them out, then press a class. ← → other groups.";
    if (seconds !== undefined) {
      what = `${seconds.toFixed(1)} s will change to ${label}: Enter does it, Esc does not.`;
    }
    this.head.textContent =
      `Look-alikes ${group + 1} of ${nGroups}: ${chosen.size} of ${items.length} chosen. ${what}`;
  }

  /** A class key asks how much would change; the same key again, or Enter, does it. */
  label(label) {
    const items = [...this.shown.chosen].map((i) => this.shown.items[i]);
    const frames = items.map(({ video, frame_idx: frameIdx }) => [video, frameIdx]);
    if (!frames.length) return this.ui.say("No picture is chosen.");
    if (this.shown.label !== label) {
      this.shown.label = label;
      return this.ui.request("count", { frames, label });
    }
    if (!this.ui.act({ action: "label_many", frames, label })) return;
    return this.ui.request("grid", { group: this.shown.group });
  }

  move(sign) {
    const { group, n_groups: nGroups } = this.shown;
    this.ui.request("grid", { group: (group + sign + nGroups) % nGroups });
  }

  close() {
    if (!this.isOpen) return;
    this.shown.urls.forEach((url) => URL.revokeObjectURL(url));
    this.shown = null;
    this.box.hidden = true;
    this.box.replaceChildren();
    delete this.ui.root.dataset.grid;
    this.ui.showButtons();
  }
}
