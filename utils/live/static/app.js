/* The live page: pictures to poses to postures, and what a person does with it.
 *
 * `services`: {loadParts: () => {worker, wasm, weights}, saver, keys: element}. It is told the
 * model (null: there is none yet, so it only teaches) and `setup` {colours, sides, classes}.
 */

import { checkModel, hashBytes, predict } from "./classifier.js";
import { drawPose } from "./draw.js";
import { Estimator } from "./pose/estimator.js";
import { isPerson } from "./pose/squares.js";
import { describeRefusal, listCameras, openCamera, SENTENCES, watchFrames } from "./sources.js";
import { Steady } from "./steady.js";
import { Teaching } from "./teaching.js";
import { buildBars, buildView, fillSelect, make, spell } from "./view.js";

const NOBODY = "nobody";
const NONE = "none of these";
const RATE_OVER_S = 2;

export class App {
  constructor(root, services) {
    this.services = services;
    this.view = buildView(root);
    this.labels = [];
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
    this.sides = setup.sides;
    this.model = null;
    let refusal = "";
    try {
      if (model) this.model = await checkModel(model);
    } catch (error) {
      refusal = error.message;
    }
    this.labels = this.model?.labels ?? [];
    this.show = buildBars(this.view.bars, this.labels, setup.colours);
    this.teaching.list(setup.classes, setup.colours);
    this.steady = new Steady(this.labels.length, { noneBelow: this.model?.none_below });
    const names = this.labels.map((label, i) => ({ value: String(i), text: spell(label) }));
    fillSelect(this.view.home, names, String(Math.max(0, this.labels.indexOf("standing"))));
    fillSelect(this.view.away, names, this.pickAway());
    this.view.counter.hidden = this.labels.length < 2;
    this.countAnew();
    this.describe();
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
    view.video.addEventListener("seeking", () => this.forget());
    view.video.addEventListener("ended", () => this.say(SENTENCES.ended));
    view.video.addEventListener("error", () => {
      if (this.source?.isFilm) this.stop(SENTENCES.unplayable);
    });
    this.stops = new AbortController();
    const { signal } = this.stops;
    document.addEventListener("visibilitychange", () => this.hide(), { signal });
    globalThis.addEventListener("beforeunload", (event) => this.leave(event), { signal });
    this.teaching = new Teaching(view, this.services, signal);
  }

  /** Let go of camera, worker and listeners: the page or the cell is gone. */
  close() {
    this.stop("");
    this.estimator?.stop();
    this.stops.abort();
  }

  hide() {
    if (document.visibilityState !== "hidden" || !this.source) return;
    this.teaching.letGo();
    this.forget();
    this.say(SENTENCES.hidden);
  }

  leave(event) {
    if (this.teaching.isUnsaved) event.preventDefault();
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
    this.teaching.take(source.stream);
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
    await this.teaching.end();
    for (const track of source?.stream?.getTracks() ?? []) track.stop();
    if (source) {
      view.video.srcObject = null;
      view.video.removeAttribute("src");
      view.video.load();
      if (source.address) URL.revokeObjectURL(source.address);
    }
    if (turn !== this.turn) return;
    view.root.classList.remove("live-on");
    view.stop.disabled = true;
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
}
