/* What a person can do: one table of commands, with their keys, words and buttons. */

/** name -> [keys, what it does (in the list of keys), what runs it]. */
export const COMMANDS = {
  play: [["space"], "play or pause", (ui) => ui.player.togglePlay()],
  loop: [["shift+space"], "play what a class key would label, over and over", (ui) => ui.player.toggleLoop()],
  back: [["arrowleft"], "step back", (ui) => ui.player.step(-1)],
  forward: [["arrowright"], "step forward", (ui) => ui.player.step(1)],
  next_unlabelled: [["shift+arrowright"], "next unlabelled span", (ui) => ui.player.goNext()],
  previous_unlabelled: [["shift+arrowleft"], "unlabelled span before", (ui) => ui.player.goUnlabelled(-1)],
  next_change: [["shift+arrowdown"], "next change of label", (ui) => ui.player.goChange(1)],
  previous_change: [["shift+arrowup"], "change of label before", (ui) => ui.player.goChange(-1)],
  first: [["home"], "first frame", (ui) => ui.player.go(0)],
  last: [["end"], "last frame", (ui) => ui.player.go(ui.player.n - 1)],
  jump: [[":"], "type a time to go to", (ui) => ui.clock.ask()],
  accept: [["enter"], "accept the proposal", (ui) => ui.painter.accept()],
  erase: [["backspace", "delete"], "erase the label", (ui) => ui.painter.erase()],
  undo: [["ctrl+z"], "undo the last action, in whichever video", (ui) => ui.act({ action: "undo" })],
  redo: [["ctrl+shift+z", "ctrl+y"], "redo", (ui) => ui.act({ action: "redo" })],
  mark_start: [["i"], "mark a start here", (ui) => ui.painter.mark("start")],
  mark_end: [["o"], "mark the end here; then press a class", (ui) => ui.painter.mark("end")],
  unit: [["s"], "a class key labels a segment, or a step of frames", (ui) => ui.painter.toggleUnit()],
  hold: [["t"], "class keys paint while held, or until pressed again", (ui) => ui.painter.toggleHold()],
  slower: [["-"], "slower", (ui) => ui.player.setSpeed(-1)],
  faster: [["+", "="], "faster", (ui) => ui.player.setSpeed(1)],
  step: [["."], "step 1, 5 or 25 frames", (ui) => ui.player.setStep()],
  view: [["v"], "picture, skeleton or both", (ui) => ui.screen.setView()],
  film: [["shift+v"], "the film itself, moving and with sound", (ui) => ui.film.toggle()],
  previous_video: [["p"], "video before", (ui) => ui.player.changeVideo(-1)],
  next_video: [["n"], "next video", (ui) => ui.player.changeVideo(1)],
  grid: [["g"], "label look-alike frames together", (ui) => ui.grid.toggle()],
  doubt: [["j"], "jump to the next label to look at again", (ui) => ui.request("doubt", {})],
  fix: [["f"], "put that label right", (ui) => ui.act({ action: "fix" })],
  cancel: [["escape"], "drop the selection, stop painting", (ui) => ui.cancel()],
  help: [["?"], "this list of keys", (ui) => ui.toggleHelp()],
};

/** What a key only changes, and a button chooses outright: its values, now and then. */
export const CHOICES = {
  speed: { values: [0.5, 1, 2, 4], now: (ui) => ui.player.speed, choose: (ui, v) => ui.player.chooseSpeed(v) },
  step: { values: [1, 5, 25], now: (ui) => ui.player.stride, choose: (ui, v) => ui.player.chooseStep(v) },
  view: { values: ["both", "picture", "skeleton"], now: (ui) => ui.screen.view, choose: (ui, v) => ui.screen.setView(v) },
};

/** Whether a command that goes on until it is given again is on. */
export const IS_ON = {
  play: (ui) => Boolean(ui.player.playing && !ui.player.playing.loop),
  loop: (ui) => Boolean(ui.player.playing?.loop),
  unit: (ui) => ui.painter.unit === "segment",
  hold: (ui) => !ui.painter.hold,
  film: (ui) => ui.film.isWanted,
  grid: (ui) => ui.grid.isOpen,
  help: (ui) => !ui.help.hidden,
};

/** The buttons below the picture, in groups: [title, [command, text, value] each]. */
export const PLAY_BUTTONS = [
  ["move", [
    ["first", "|◂"], ["previous_unlabelled", "◂ unlabelled"], ["previous_change", "◂ change"],
    ["back", "◂ step"], ["play", "play"], ["loop", "loop"], ["forward", "step ▸"],
    ["next_change", "change ▸"], ["next_unlabelled", "unlabelled ▸"], ["last", "▸|"], ["jump", "go to …"],
  ]],
  ["speed", [["speed", "½×", 0.5], ["speed", "1×", 1], ["speed", "2×", 2], ["speed", "4×", 4]]],
  ["step", [["step", "1", 1], ["step", "5", 5], ["step", "25", 25]]],
  ["show", [["view", "both", "both"], ["view", "picture", "picture"], ["view", "skeleton", "skeleton"], ["film", "film + sound"]]],
];

/** The buttons beside the picture, below the classes. */
export const LABEL_BUTTONS = [
  ["label", [["accept", "accept"], ["erase", "erase"]]],
  ["undo", [["undo", "undo"], ["redo", "redo"]]],
  ["choose time", [["mark_start", "start"], ["mark_end", "end"], ["cancel", "drop"]]],
  ["what a class key does", [["unit", "segments"], ["hold", "keep on"]]],
  ["together", [["grid", "look-alikes"], ["help", "keys"]]],
  ["second look", [["doubt", "doubtful"], ["fix", "put right"]]],
];
export const VIDEO_BUTTONS = [["video", [["previous_video", "◂"], ["next_video", "▸"]]]];

export const COMMAND_OF_KEY = new Map(
  Object.entries(COMMANDS).flatMap(([name, [keys]]) => keys.map((key) => [key, name]))
);
/** Commands that go on while their key is held; the others act once a press. */
export const REPEATING = new Set(["back", "forward", "undo", "redo"]);
const KEY_SIGNS = {
  arrowleft: "←", arrowright: "→", arrowup: "↑", arrowdown: "↓",
  backspace: "Backspace", enter: "Enter", escape: "Esc", space: "space",
  home: "Home", end: "End",
};

/** A key as people write it: "shift →", "Backspace". */
export function writeKey(key) {
  const parts = key === "+" ? ["+"] : key.split("+");
  return parts.map((p) => KEY_SIGNS[p] ?? (p.length === 1 ? p.toUpperCase() : p)).join(" ");
}

/** What a button does, with the key that does the same. */
export function describeCommand(command, value) {
  const [[key], words] = COMMANDS[command] ?? [[""], `${command} ${value}`];
  if (value === undefined) return `${words}: ${writeKey(key)}`;
  return command === "speed" ? `speed ${value}×: - and + change it` : `${command} ${value}: ${writeKey(key)} changes it`;
}

/** Name of a key press: "ctrl+shift+z", "shift+arrowright", "1", "?". */
export function nameKey(event) {
  let key = event.key.toLowerCase();
  const digit = /^Digit(\d)$/.exec(event.code); // the row of digits, on any keyboard
  if (!/^[0-9]$/.test(key) && digit) key = digit[1];
  if (key === " ") key = "space";
  const ctrl = event.ctrlKey || event.metaKey ? "ctrl+" : "";
  const alt = event.altKey ? "alt+" : "";
  const isSign = key.length === 1 && !/[a-z0-9]/.test(key); // "?" needs shift on most
  return `${ctrl}${alt}${event.shiftKey && !isSign ? "shift+" : ""}${key}`;
}

/** Index of the class that a key stands for, "shift+" or not; null if it is none. */
export function findClass(key, classes) {
  const plain = key.replace("shift+", "");
  const idx = plain === "" ? -1 : classes.findIndex((c) => c.key === plain);
  return idx >= 0 ? idx : null;
}

/** Whether a key could have been meant for a class that is not there: 1 to 9. */
export const isClassKey = (key) => /^(shift\+)?[1-9]$/.test(key);
