import assert from "node:assert/strict";
import { test } from "node:test";

import {
  CHOICES,
  COMMAND_OF_KEY,
  COMMANDS,
  describeCommand,
  findClass,
  IS_ON,
  isClassKey,
  LABEL_BUTTONS,
  nameKey,
  PLAY_BUTTONS,
  REPEATING,
  VIDEO_BUTTONS,
  writeKey,
} from "../../../utils/labelling/widget/static/logic/keys.js";

const press = (key, { code = "", held = [] } = {}) =>
  nameKey({
    key,
    code,
    ctrlKey: held.includes("ctrl"),
    metaKey: held.includes("meta"),
    altKey: held.includes("alt"),
    shiftKey: held.includes("shift"),
  });

test("a press is named by its key and what is held with it", () => {
  assert.equal(press("Z", { held: ["ctrl", "shift"] }), "ctrl+shift+z");
  assert.equal(press("ArrowRight", { held: ["shift"] }), "shift+arrowright");
  assert.equal(press(" "), "space");
  assert.equal(press("z", { held: ["meta"] }), "ctrl+z"); // a Mac's command key
});

test("the row of digits gives digits on any keyboard", () => {
  assert.equal(press("&", { code: "Digit1" }), "1"); // French
  assert.equal(press("!", { code: "Digit1", held: ["shift"] }), "shift+1");
  assert.equal(press("1", { code: "Numpad1" }), "1");
});

test("signs are named without the shift that some keyboards need for them", () => {
  assert.equal(press("?", { held: ["shift"] }), "?");
  assert.equal(press("+", { held: ["shift"] }), "+");
});

test("no key stands for two commands", () => {
  const keys = Object.values(COMMANDS).flatMap(([each]) => each);
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(COMMAND_OF_KEY.size, keys.length);
});

test("every command has a key, words and something to run", () => {
  for (const [keys, words, run] of Object.values(COMMANDS)) {
    assert.ok(keys.length > 0);
    assert.ok(words.length > 3);
    assert.equal(typeof run, "function");
  }
  for (const name of REPEATING) assert.ok(name in COMMANDS);
});

test("keys are written as people write them", () => {
  assert.equal(writeKey("shift+arrowright"), "shift →");
  assert.equal(writeKey("ctrl+z"), "ctrl Z");
  assert.equal(writeKey("+"), "+");
  assert.equal(writeKey("backspace"), "Backspace");
});

test("a class is found by its key, with shift or without", () => {
  const classes = [{ key: "1" }, { key: "" }, { key: "0" }, { key: "u" }];
  assert.equal(findClass("1", classes), 0);
  assert.equal(findClass("shift+u", classes), 3);
  assert.equal(findClass("0", classes), 2);
  for (const key of ["x", "", "2"]) assert.equal(findClass(key, classes), null);
});

test("no command takes a letter that classes beyond the ninth have", () => {
  for (const key of "abcdehklmqrwxyz0u") assert.ok(!COMMAND_OF_KEY.has(key), key);
});

test("a digit without a class is known for what was meant", () => {
  assert.ok(isClassKey("4"));
  assert.ok(isClassKey("shift+9"));
  for (const key of ["0", "u", "ctrl+4", "f4"]) assert.ok(!isClassKey(key));
});

test("every key has a button, and every button has words", () => {
  const groups = [...PLAY_BUTTONS, ...LABEL_BUTTONS, ...VIDEO_BUTTONS];
  const buttons = groups.flatMap(([, each]) => each);
  const named = new Set(buttons.map(([command]) => command));
  // these keys change what one of several buttons says outright
  const outright = { slower: "speed", faster: "speed" };
  for (const command of Object.keys(COMMANDS)) assert.ok(named.has(outright[command] ?? command), command);
  for (const [command, text, value] of buttons) {
    assert.ok(command in (value === undefined ? COMMANDS : CHOICES), command);
    if (value !== undefined) assert.ok(CHOICES[command].values.includes(value));
    assert.ok(text && describeCommand(command, value).length > 5);
  }
  for (const command of Object.keys(IS_ON)) assert.ok(named.has(command));
});
