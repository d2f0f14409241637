/* The page's elements: built once, then filled by app.js. */

/** Make an element: attributes by name, then children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const button = (text, attributes = {}) => make("button", { type: "button", ...attributes }, text);

/** A select with its label; `words` are what it says beside. */
function choose(words, attributes = {}) {
  const select = make("select", attributes);
  return { select, label: make("label", {}, make("span", {}, words), select) };
}

const spell = (label) => label.replaceAll("_", " ");

/** Build the whole page in `root`; return its parts by name. */
export function buildView(root) {
  const camera = choose("Camera");
  const mirror = make("input", { type: "checkbox", checked: true });
  const film = make("input", { type: "file", accept: "video/*", class: "live-file" });
  const parts = {
    root,
    about: make("p", { class: "live-about" }),
    video: make("video", { playsinline: true, muted: true, "aria-label": "The picture" }),
    overlay: make("canvas", { "aria-hidden": "true" }),
    caption: make("p", { class: "live-caption", hidden: true }),
    stage: make("div", { class: "live-stage" }),
    start: button("Start camera", { class: "live-main" }),
    film,
    stop: button("Stop", { disabled: true }),
    camera: camera.select,
    cameraLabel: camera.label,
    mirror,
    full: button("Full screen"),
    status: make("p", { class: "live-status", role: "status" }),
    rate: make("p", { class: "live-rate" }),
    posture: make("p", { class: "live-posture" }, "–"),
    hold: make("p", { class: "live-hold" }),
    spoken: make("p", { class: "live-spoken", "aria-live": "polite" }),
    bars: make("ul", { class: "live-bars" }),
    side: make("div", { class: "live-side" }),
  };
  parts.stage.append(parts.video, parts.overlay, parts.caption);
  const openFilm = make("label", { class: "live-button" }, film, "Open a film…");
  const mirrored = make("label", { class: "live-check" }, mirror, make("span", {}, "Mirror the view"));
  parts.side.append(
    make("section", { "aria-label": "Posture" }, parts.posture, parts.hold, parts.bars),
    buildCounter(parts),
    buildTeaching(parts),
  );
  root.classList.add("live");
  root.replaceChildren(
    make("header", {}, make("h1", {}, "Live postures"), parts.about),
    make(
      "div",
      { class: "live-columns" },
      make(
        "div",
        { class: "live-left" },
        parts.stage,
        make("div", { class: "live-tools" }, parts.start, openFilm, parts.stop, parts.full, camera.label, mirrored),
        parts.status,
        parts.rate,
      ),
      parts.side,
    ),
    parts.spoken,
  );
  return parts;
}

function buildCounter(parts) {
  const home = choose("From");
  const away = choose("to");
  Object.assign(parts, {
    home: home.select,
    away: away.select,
    count: make("output", { class: "live-count" }, "0"),
    clear: button("Start over"),
  });
  parts.counter = make(
    "section",
    { "aria-label": "Repetitions" },
    make("div", { class: "live-counted" }, make("h2", {}, "Repetitions"), parts.count, parts.clear),
    make("div", { class: "live-row" }, home.label, away.label, make("span", {}, "and back")),
  );
  return parts.counter;
}

function buildTeaching(parts) {
  Object.assign(parts, {
    who: make("input", { type: "text", value: "me", maxlength: "60", autocomplete: "off" }),
    name: make("input", { type: "text", maxlength: "60", autocomplete: "off" }),
    add: button("Add"),
    record: button("Record", { disabled: true, "aria-pressed": "false" }),
    keys: make("div", { class: "live-keys" }),
    kept: make("p", { class: "live-kept", role: "status" }),
    downloads: make("ul", { class: "live-downloads" }),
  });
  return make(
    "details",
    { class: "live-teach" },
    make("summary", {}, "Teach from the camera"),
    make(
      "p",
      {},
      "Start the camera, press Record, take up a posture and hold its key (or its button) as long as you are in it.",
    ),
    make(
      "div",
      { class: "live-row" },
      make("label", {}, make("span", {}, "Who is filmed"), parts.who),
      make("label", {}, make("span", {}, "New posture"), parts.name),
      parts.add,
    ),
    make("div", { class: "live-row" }, parts.record),
    parts.keys,
    parts.kept,
    parts.downloads,
  );
}

/** Fill the bars: a row a label; return what shows shares (null: nobody). */
export function buildBars(list, labels, colours) {
  const rows = labels.map((label) => {
    const fill = make("span", { class: "live-fill" });
    fill.style.background = colours[label];
    const share = make("span", { class: "live-share" }, "–");
    const row = make(
      "li",
      {},
      make("span", { class: "live-name" }, spell(label)),
      make("span", { class: "live-track", "aria-hidden": "true" }, fill),
      share,
    );
    return { row, fill, share };
  });
  list.replaceChildren(...rows.map(({ row }) => row));
  return (shares, steady) => {
    rows.forEach(({ row, fill, share }, i) => {
      fill.style.width = shares ? `${(100 * shares[i]).toFixed(1)}%` : "0";
      share.textContent = shares ? `${Math.round(100 * shares[i])} %` : "–";
      row.classList.toggle("live-steady", labels[i] === steady);
    });
  };
}

/** Fill a select with labels and pick one. */
export function fillSelect(select, names, picked) {
  const options = names.map(({ value, text }) => make("option", { value }, text));
  select.replaceChildren(...options);
  if (names.some(({ value }) => value === picked)) select.value = picked;
}

export { spell };
