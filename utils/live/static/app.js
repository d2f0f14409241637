/* The live page: pictures to poses to postures, and what a person does with it.
 *
 * `services`: {loadParts: () => {worker, wasm, weights}, saver, keys: element}. It is told the
 * model (null: there is none yet, so it only teaches) and `setup` {colours, sides, classes}.
 */

import { checkModel, hashBytes, predict } from "./classifier.js";
import { drawPose } from "./draw.js";
import { Estimator } from "./pose/estimator.js";
import { isPerson } from "./pose/squares.js";
import { Recorder } from "./recorder.js";
import { DownloadSaver } from "./savers.js";
import { describeRefusal, listCameras, openCamera, SENTENCES, watchFrames } from "./sources.js";
import { Steady } from "./steady.js";
import { buildBars, buildView, fillSelect, make, spell } from "./view.js";

const NOBODY = "nobody";
const NONE = "none of these";
const RATE_OVER_S = 2;
const KEYS = "123456789abcdefghijklmnopqrstuvwxyz";
const GREY = "#8a8a8a";

export class App {
  constructor(root, services) {
    this.services = services;
    this.view = buildView(root);
    this.labels = [];
    this.classes = [];
    this.source = null; // {video, end} while pictures come
    this.times = []; // when the last poses came
    this.listen();
    this.say("Loading…");
  }

  say(sentence) {
    if (this.view.status.textContent !== sentence) this.view.status.textContent = sentence;
  }

  /* ---------- the model ---------- */

  /** Take the model; one that contradicts itself is refused with a sentence. */
  async open(model, setup) {
    this.setup = setup;
    this.colours = setup.colours ?? {};
    this.sides = setup.sides;
    this.classes = [...(setup.classes ?? [])];
    this.model = null;
    let refusal = "";
    try {
      if (model) this.model = await checkModel(model);
    } catch (error) {
      refusal = error.message;
    }
    this.labels = this.model?.labels ?? [];
    this.classes = this.classes.length ? this.classes : [...this.labels];
    this.show = buildBars(this.view.bars, this.labels, this.colours);
    this.steady = new Steady(this.labels.length, { noneBelow: this.model?.none_below });
    const names = this.labels.map((label, i) => ({ value: String(i), text: spell(label) }));
    fillSelect(this.view.home, names, String(Math.max(0, this.labels.indexOf("standing"))));
    fillSelect(this.view.away, names, this.pickAway());
    this.view.counter.hidden = this.labels.length < 2;
    this.countAnew();
    this.describe();
    this.listKeys();
    this.isRefused = refusal !== "";
    this.view.start.disabled = this.view.film.disabled = this.isRefused;
    this.say(refusal || (this.model ? "Ready." : "No model yet: teach postures, then run the notebook."));
  }

  pickAway() {
    const home = Number(this.view.home.value);
    const usual = this.labels.indexOf("squatting");
    return String(usual >= 0 && usual !== home ? usual : this.labels.findIndex((_, i) => i !== home));
  }

  describe() {
    const about = ["MoveNet Lightning finds 17 keypoints on this device; no picture leaves it."];
    const taught = this.model?.network.name;
    if (taught && taught !== "movenet_lightning") {
      about.push(`The model was taught with ${taught}; Lightning is quicker and a little rougher.`);
    }
    if (this.model) about.push(this.model.tested_on.sentence);
    this.view.about.textContent = about.join(" ");
  }

  /* ---------- what a person does ---------- */

  listen() {
    const { view } = this;
    view.start.addEventListener("click", () => this.startCamera());
    view.stop.addEventListener("click", () => this.stop("Stopped."));
    view.film.addEventListener("change", () => this.openFilm());
    view.camera.addEventListener("change", () => this.startCamera());
    view.mirror.addEventListener("change", () => this.mirror());
    view.full.addEventListener("click", () => this.fillScreen());
    view.clear.addEventListener("click", () => this.countAnew());
    for (const select of [view.home, view.away]) select.addEventListener("change", () => this.countAnew());
    view.add.addEventListener("click", () => this.addClass());
    view.record.addEventListener("click", () => this.toggleRecording());
    view.video.addEventListener("seeking", () => this.forget());
    view.video.addEventListener("ended", () => this.say(SENTENCES.ended));
    view.video.addEventListener("error", () => {
      if (this.source?.isFilm) this.stop(SENTENCES.unplayable);
    });
    this.stops = new AbortController();
    const { signal } = this.stops;
    const onKey = (event) => this.pressKey(event);
    // in a notebook keys are ours only where the focus is, and then not the notebook's
    const keys = this.services.keys ?? document;
    keys.addEventListener("keydown", onKey, { signal });
    keys.addEventListener("keyup", onKey, { signal });
    document.addEventListener("visibilitychange", () => this.hide(), { signal });
    globalThis.addEventListener("blur", () => this.letGo(), { signal }); // no keyup comes
    globalThis.addEventListener("beforeunload", (event) => this.leave(event), { signal });
  }

  /** Let go of camera, worker and listeners: the page or the cell is gone. */
  close() {
    this.stop("");
    this.estimator?.stop();
    this.stops.abort();
  }

  hide() {
    if (document.visibilityState !== "hidden" || !this.source) return;
    this.letGo();
    this.forget();
    this.say(SENTENCES.hidden);
  }

  leave(event) {
    if (this.recorder || this.isUnsaved) event.preventDefault();
  }

  mirror() {
    this.view.stage.classList.toggle("live-mirrored", this.view.mirror.checked);
  }

  async fillScreen() {
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else await this.view.root.requestFullscreen();
    } catch {
      this.say("This browser does not let the page fill the screen.");
    }
  }

  async startCamera() {
    const device = this.view.camera.value;
    await this.stop("Starting the camera: allow it if the browser asks.");
    const turn = this.turn;
    let stream;
    try {
      stream = await openCamera(device);
    } catch (error) {
      if (turn === this.turn) this.say(describeRefusal(error));
      return;
    }
    if (turn !== this.turn) {
      for (const track of stream.getTracks()) track.stop();
      return;
    }
    stream.getVideoTracks()[0].addEventListener("ended", () => {
      if (this.source?.stream === stream) this.stop(SENTENCES.unplugged);
    });
    this.view.video.srcObject = stream;
    this.view.video.controls = false;
    this.view.mirror.checked = true;
    const cameras = await listCameras();
    const options = cameras.map(({ id, name }) => ({ value: id, text: name }));
    fillSelect(this.view.camera, options, stream.getVideoTracks()[0].getSettings().deviceId);
    await this.begin({ stream, isFilm: false });
  }

  async openFilm() {
    const [file] = this.view.film.files;
    if (!file) return;
    await this.stop(`Opening ${file.name}…`);
    this.view.film.value = ""; // the same film may be chosen again
    const address = URL.createObjectURL(file);
    this.view.video.srcObject = null;
    this.view.video.src = address;
    this.view.video.controls = true;
    this.view.mirror.checked = false;
    await this.begin({ address, isFilm: true });
  }

  /** Let pictures come: load the network once, then look at each new frame. */
  async begin(source) {
    const turn = this.turn;
    this.source = source;
    this.view.stop.disabled = false;
    this.view.root.classList.add("live-on");
    this.mirror();
    this.view.record.disabled = source.isFilm;
    try {
      await this.view.video.play();
      if (this.model && !this.estimator) {
        this.say("Loading the network…");
        await this.loadNetwork();
      }
    } catch (error) {
      const reason = this.view.video.error ? SENTENCES.unplayable : `The network did not start: ${error.message}`;
      if (turn === this.turn) await this.stop(reason);
      return;
    }
    if (turn !== this.turn) return;
    this.forget();
    if (source.isFilm) this.view.video.currentTime = 0;
    source.end = watchFrames(this.view.video, (time) => this.take(time));
    this.say(source.isFilm ? "The film is running." : "The camera is running.");
  }

  async loadNetwork() {
    const parts = await this.services.loadParts();
    const found = await hashBytes(parts.weights);
    if (found !== null && found !== this.setup.sha256) throw new Error("its weights are not the file they should be. Make this page again.");
    this.estimator ??= await Estimator.load(parts);
  }

  /** End what runs and say why; recordings are ended and kept first. */
  async stop(sentence) {
    this.turn = (this.turn ?? 0) + 1;
    const turn = this.turn;
    const { source, view } = this;
    this.source = null;
    source?.end?.();
    if (this.recorder) await this.endRecording();
    for (const track of source?.stream?.getTracks() ?? []) track.stop();
    if (source) {
      view.video.srcObject = null;
      view.video.removeAttribute("src");
      view.video.load();
      if (source.address) URL.revokeObjectURL(source.address);
    }
    if (turn !== this.turn) return;
    view.root.classList.remove("live-on");
    view.stop.disabled = view.record.disabled = true;
    drawPose(view.overlay, null);
    this.forget();
    this.showNothing();
    this.say(sentence);
  }

  showNothing() {
    this.show?.(null, null);
    this.view.posture.textContent = "–";
    this.view.hold.textContent = this.view.rate.textContent = "";
    this.view.caption.hidden = true;
  }

  /** A jump in time: nothing of before counts for what comes. */
  forget() {
    this.estimator?.reset();
    this.steady?.forget();
    this.times = [];
  }

  /* ---------- a frame ---------- */

  take(time) {
    this.newest = time;
    if (!this.isBusy && this.model) this.look();
  }

  async look() {
    const { video, overlay } = this.view;
    const [width, height] = [video.videoWidth, video.videoHeight];
    if (!width || !this.source) return;
    this.isBusy = true;
    const [turn, time] = [this.turn, this.newest];
    this.newest = null;
    try {
      this.canvas ??= make("canvas");
      const isNew = this.canvas.width !== width || this.canvas.height !== height;
      if (isNew) {
        Object.assign(this.canvas, { width, height });
        Object.assign(overlay, { width, height });
      }
      const context = this.canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(video, 0, 0, width, height);
      const picture = context.getImageData(0, 0, width, height);
      const found = await this.estimator.estimate(picture, time);
      if (turn === this.turn) this.showPose(found, time, width, height);
    } catch (error) {
      if (turn === this.turn) await this.stop(`The network stopped: ${error.message}. Press Start again.`);
    } finally {
      this.isBusy = false;
    }
    if (this.newest !== null && turn === this.turn) this.look();
  }

  showPose({ pose, looks }, time, width, height) {
    const { view, model } = this;
    const isThere = isPerson(pose);
    const shares = isThere ? predict(model, pose, width, height) : null;
    const steady = this.steady.update(time, shares);
    const label = steady.label === null ? null : this.labels[steady.label];
    drawPose(view.overlay, isThere ? pose : null, model.edges, this.sides);
    this.show(shares, label);
    const raw = this.nameRaw(shares);
    const words = label ? spell(label) : raw;
    view.posture.textContent = label || raw === NOBODY || raw === NONE ? words : "…";
    view.hold.textContent = label ? `held for ${steady.held.toFixed(1)} s` : "";
    view.count.textContent = String(steady.shown);
    view.caption.hidden = false;
    view.caption.textContent = label ? `${words} ${steady.held.toFixed(1)} s` : view.posture.textContent;
    const spoken = view.posture.textContent;
    if (spoken !== "…" && view.spoken.textContent !== spoken) view.spoken.textContent = spoken;
    this.showRate(looks);
    view.root.dispatchEvent(
      new CustomEvent("live-pose", { detail: { time, pose, looks, shares, raw, label, held: steady.held, count: steady.shown } }),
    );
  }

  /** What one frame says alone. */
  nameRaw(shares) {
    if (!shares) return NOBODY;
    const highest = Math.max(...shares);
    return highest < this.model.none_below ? NONE : this.labels[shares.indexOf(highest)];
  }

  showRate(looks) {
    const now = performance.now() / 1000;
    this.times = [...this.times.filter(([time]) => now - time < RATE_OVER_S), [now, looks]];
    const n = this.times.length;
    const seconds = now - this.times[0][0];
    if (n < 3 || seconds <= 0) return;
    const rate = ((n - 1) / seconds).toFixed(0);
    const mean = (this.times.reduce((sum, [, each]) => sum + each, 0) / n).toFixed(1);
    this.view.rate.textContent = `${rate} frames a second, ${mean} looks at each`;
  }

  countAnew() {
    const { home, away } = this.view;
    this.steady.countAnew(this.labels.length < 2 ? null : [Number(home.value), Number(away.value)]);
    this.view.count.textContent = "0";
  }

  /* ---------- teaching ---------- */

  listKeys() {
    const buttons = this.classes.map((label, i) => {
      const key = KEYS[i] ?? "";
      const hold = make("button", { type: "button", class: "live-key", disabled: !this.recorder });
      hold.append(make("kbd", {}, key.toUpperCase()), ` ${spell(label)}`);
      hold.style.borderColor = this.colours[label] ?? GREY;
      hold.addEventListener("pointerdown", () => this.hold(label, hold));
      for (const end of ["pointerup", "pointerleave", "pointercancel", "blur"]) {
        hold.addEventListener(end, () => this.letGo(label));
      }
      hold.addEventListener("keydown", (event) => {
        if (event.key === " " && !event.repeat) this.hold(label, hold);
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

  async toggleRecording() {
    if (this.recorder) await this.endRecording();
    else await this.startRecording();
  }

  async startRecording() {
    const who = this.view.who.value.trim() || "me";
    const recorder = new Recorder(this.source.stream, this.services.saver, () => this.showKept(recorder));
    this.view.record.disabled = true;
    try {
      await recorder.start(who);
    } catch (error) {
      this.view.kept.textContent = `Nothing is recorded: ${error.message}`;
      this.view.record.disabled = !this.source;
      return;
    }
    this.recorder = recorder;
    this.markRecording(true);
    this.view.record.focus({ preventScroll: true }); // it lost the focus while disabled
    this.showKept(recorder);
  }

  async endRecording() {
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
    record.disabled = !isOn && !this.source;
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
    const where = isEnded ? `Kept ${this.services.saver.place}` : "Recording";
    this.view.kept.textContent = recorder.error
      ? `Not saved from here on: ${recorder.error.message}`
      : `${where}, ${recorder.name}: ${what}.`;
  }

  offerDownloads() {
    const { saver } = this.services;
    if (!(saver instanceof DownloadSaver)) return;
    this.isUnsaved = true;
    const items = saver.list().map(({ name, blob }) => {
      const link = make("a", { href: URL.createObjectURL(blob), download: name }, name);
      link.addEventListener("click", () => {
        this.isUnsaved = false;
      });
      return make("li", {}, link);
    });
    const hint = make("li", {}, "Put all of them into the folder of your films and make run. To labels and people that you have already, add the lines.");
    this.view.downloads.replaceChildren(...items, hint);
  }
}
