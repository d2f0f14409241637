/* Elements and canvases. */

import { inkOn } from "../logic/format.js";

export function element(tag, className, parent, text = "") {
  const node = document.createElement(tag);
  node.className = className;
  if (text) node.textContent = text;
  parent?.append(node);
  return node;
}

/** A button with a text and what it does, which is also its name for those who hear. */
export function button(parent, text, words) {
  const made = element("button", "lb-button", parent, text);
  made.type = "button";
  made.title = words;
  made.setAttribute("aria-label", text && !/^\W*$/.test(text) ? `${text}, ${words}` : words);
  return made;
}

/** A list to choose one from; `fill` gives it its choices, a list or value -> text. */
export function select(parent, name, choices, onChange) {
  const made = element("select", "lb-select", parent);
  made.setAttribute("aria-label", name);
  made.fill = (all, value) => {
    const entries = Array.isArray(all) ? all.map((each) => [each, each]) : Object.entries(all);
    const drawn = JSON.stringify(entries);
    if (drawn !== made.drawn) {
      made.replaceChildren();
      for (const [each, text] of entries) element("option", "", made, text).value = each;
    }
    made.drawn = drawn;
    made.value = value;
  };
  made.fill(choices, Object.keys(choices)[0]);
  made.addEventListener("change", () => onChange(made.value));
  return made;
}

/** Give a canvas the pixels of its box on this screen; returns its context and size. */
export function prepareCanvas(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return { ctx, width, height };
}

/** Fill a box with lines: unlabelled time, time without a person, a class's pattern. */
export function hatch(ctx, x, y, w, h, colour, gap, { lineWidth = 1, slope = 1 } = {}) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, w, h);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = lineWidth;
  ctx.beginPath();
  for (let u = Math.floor((x - h) / gap) * gap; u < x + w; u += gap) {
    ctx.moveTo(u, y + h);
    ctx.lineTo(u + slope * h, y);
  }
  ctx.stroke();
  ctx.restore();
}

/** Fill a box with a class's colour, and lines where classes before it have that colour. */
export function fillLook(ctx, x, y, w, h, { colour, pattern }) {
  ctx.fillStyle = colour;
  ctx.fillRect(x, y, w, h);
  // one by one: slanted lines, upright ones, slanted ones that are close
  const slope = pattern % 2;
  const gap = pattern > 2 ? 4 : 8;
  if (pattern) hatch(ctx, x, y, w, h, inkOn(colour), gap, { lineWidth: 2, slope });
}
