/* Keys, buttons and the mouse, each turned into a command or a choice of time. */

import { COMMAND_OF_KEY, COMMANDS, findClass, nameKey, REPEATING } from "./logic/keys.js";
import { rowsBetween } from "./logic/spans.js";
import { STEPS } from "./player.js";
import { RULER_PX } from "./timeline.js";

const DRAG_PX = 3; // a shorter way is a click

export class Input {
  /** `ui` is the widget that joins the parts. */
  constructor(ui) {
    this.ui = ui;
    this.stops = new AbortController();
    const { signal } = this.stops;
    const { screen, timeline, root } = ui;
    window.addEventListener("blur", () => ui.painter.letGo(), { signal });
    screen.film.addEventListener("pointerdown", (event) => this.onFilm(event), { signal });
    for (const band of timeline.bands) {
      band.box.addEventListener("pointerdown", (event) => this.onBand(event, band), { signal });
    }
    screen.stage.addEventListener("pointerdown", () => ui.focus(), { signal });
    root.dataset.lmSuppressShortcuts = "true"; // Lumino's, that is JupyterLab's
  }

  /** The box of buttons around us, made by `panel.py`, or just ourselves. */
  get host() {
    return this.ui.root.closest(".labeller") ?? this.ui.root;
  }

  /** Listen to the box around us, once we are in it. */
  attach() {
    if (this.isAttached || !this.ui.root.isConnected) return;
    this.isAttached = true;
    const { host } = this;
    const { signal } = this.stops;
    host.dataset.lmSuppressShortcuts = "true";
    host.addEventListener("keydown", (event) => this.onKey(event), { signal });
    host.addEventListener("keyup", (event) => this.onKeyUp(event), { signal });
    host.addEventListener("click", (event) => this.onClick(event), { signal });
    host.addEventListener("focusout", (event) => {
      if (!host.contains(event.relatedTarget)) this.ui.painter.letGo();
    }, { signal });
    this.showButtons();
  }

  /** Run the command of a key; no key goes on to the notebook. */
  onKey(event) {
    const { ui } = this;
    event.stopPropagation();
    const key = nameKey(event);
    if (event.target.closest("input, textarea, select")) {
      if (key === "escape") ui.focus();
      return;
    }
    if (["space", "enter"].includes(key) && event.target.closest("button")) return;
    const idx = findClass(key, ui.labels.classes);
    if (ui.grid.isOpen && ["arrowleft", "arrowright"].includes(key)) {
      ui.grid.move(key === "arrowright" ? 1 : -1);
    } else if (idx !== null) {
      if (!event.repeat) ui.painter.press(idx, key.startsWith("shift+") || !ui.painter.hold);
    } else if (COMMAND_OF_KEY.has(key)) {
      const command = COMMAND_OF_KEY.get(key);
      if (!event.repeat || REPEATING.has(command)) this.run(command);
    } else if (key === "ctrl+s") {
      ui.say("Labels save themselves, each as it is given.");
    } else if (!["shift+enter", "ctrl+enter", "alt+enter"].includes(key)) {
      return; // the browser's own: tab, copy, reload
    }
    event.preventDefault();
  }

  onKeyUp(event) {
    event.stopPropagation();
    const idx = findClass(nameKey(event), this.ui.labels.classes);
    if (idx !== null) this.ui.painter.release(idx);
  }

  run(command) {
    if (this.ui.player.n || command === "help") COMMANDS[command][2](this.ui);
  }

  /** Clicks on the ipywidgets buttons: each carries its command in its class name. */
  onClick(event) {
    const { ui } = this;
    const button = event.target.closest("button[class*='labeller-do-']");
    if (!button) return;
    const [, command, value] = /labeller-do-([a-z_]+)(?:-([\w.]+))?/.exec(button.className);
    const chosen = {
      class: () => {
        ui.painter.press(Number(value), !ui.painter.hold);
        ui.painter.release(Number(value));
      },
      speed: () => ui.player.chooseSpeed(Number(value.replace("_", "."))),
      step: () => ui.player.setStep(STEPS.indexOf(Number(value))),
      view: () => ui.screen.setView(value),
    };
    if (value !== undefined && chosen[command]) chosen[command]();
    else if (COMMANDS[command]) this.run(command);
    ui.focus();
  }

  /** Show on the buttons what is on, and what cannot be done now. */
  showButtons() {
    const { player, painter, screen, grid, help, labels } = this.ui;
    const on = {
      play: Boolean(player.playing),
      [`speed-${String(player.speed).replace(".", "_")}`]: true,
      [`step-${player.stride}`]: true,
      [`view-${screen.view}`]: true,
      unit: painter.unit === "segment",
      hold: !painter.hold,
      grid: grid.isOpen,
      help: !help.hidden,
      [`class-${(painter.stroke ?? painter.held)?.idx}`]: true,
    };
    for (const button of this.host.querySelectorAll("button[class*='labeller-do-']")) {
      const name = /labeller-do-([\w.-]+)/.exec(button.className)[1];
      button.classList.toggle("labeller-on", Boolean(on[name]));
      const can = labels[`can_${name}`];
      if (can !== undefined) button.classList.toggle("labeller-off", !can);
    }
  }

  drag(event, move, up) {
    this.ui.focus();
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
    const { player, painter } = this.ui;
    if (!player.n || event.button) return;
    player.stop();
    const from = band.time(event);
    const inRuler = event.clientY - band.box.getBoundingClientRect().top < RULER_PX;
    const startX = event.clientX;
    let isDrag = false;
    band.held = true; // keeps the close-up still while it is dragged on
    if (inRuler) player.goTime(from);
    this.drag(
      event,
      (move) => {
        isDrag ||= Math.abs(move.clientX - startX) > DRAG_PX;
        if (inRuler) player.goTime(band.time(move));
        else if (isDrag) this.choose(from, band.time(move));
      },
      (last) => {
        band.held = false;
        if (inRuler) return;
        if (!isDrag) {
          painter.select(null);
          player.goTime(band.time(last));
        } else if (painter.stroke?.latch) painter.labelSelection(painter.stroke.label);
        else if (painter.selection) {
          this.ui.say("Now press a class, Backspace to erase, Esc to drop.");
        }
        this.ui.paintSoon();
      }
    );
  }

  /** Choose the frames from time a to time b. */
  choose(a, b) {
    const { player, painter } = this.ui;
    const [first, last] = rowsBetween(player.times, a, b);
    painter.select([player.time(first), player.end(last)]);
  }

  onFilm(event) {
    const { player, screen } = this.ui;
    if (!player.n) return;
    this.ui.focus();
    event.preventDefault();
    const row = screen.rowAt(event);
    if (row < 0) return;
    player.stop();
    player.go(row);
  }

  dispose() {
    this.stops.abort();
  }
}
