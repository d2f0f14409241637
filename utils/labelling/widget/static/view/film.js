/* The film itself, moving and with its sound, in the place of the pictures.
 *
 * The kernel sends the file in pieces, which works wherever the notebook is served from.
 * While it plays, its clock is the playhead's.
 */

import { clamp } from "../logic/spans.js";
import { element } from "./dom.js";

const NEAR_S = 0.04; // a film that is shown so near to where it should be stays there
const FAR_S = 0.5; // and one that plays is let go on unless it is so far off
const NO_FILM = "This browser cannot play this film; the pictures, without sound, stay.";

export class Film {
  /** `ui` is the widget that joins the parts. */
  constructor(ui, stage) {
    this.ui = ui;
    this.isWanted = false;
    this.box = element("video", "lb-video", null);
    stage.prepend(this.box); // below the canvas that the skeleton is drawn on
    this.box.setAttribute("aria-label", "The film itself");
    this.box.playsInline = true;
    this.box.tabIndex = -1; // our keys move it
    this.box.addEventListener("loadeddata", () => this.begin());
    this.box.addEventListener("seeked", () => ui.paintSoon());
    this.box.addEventListener("error", () => this.url && this.refuse(NO_FILM));
    this.open();
  }

  /** Another video is shown. */
  open() {
    this.drop();
    if (this.isWanted) this.ask(0);
  }

  /** Whether the film is there, in place of the pictures. */
  get isOn() {
    return this.isWanted && this.isLoaded; // not its readyState, which sinks in each seek
  }

  toggle() {
    this.ui.player.stop();
    this.isWanted = !this.isWanted;
    if (!this.isWanted) this.drop();
    else this.ask(0);
    this.ui.showButtons();
    this.ui.paintSoon();
  }

  ask(offset) {
    this.ui.request("film", { offset });
  }

  /** Take a piece, and ask for the next. */
  take({ offset, size, kind, starts_at_s: startsAt }, [piece]) {
    if (!this.isWanted || offset !== this.n) return;
    this.pieces.push(piece);
    this.n += piece.byteLength;
    this.startsAt = startsAt;
    if (this.n < size && piece.byteLength) {
      this.ui.say(`Fetching the film: ${Math.floor((100 * this.n) / size)} %`);
      return this.ask(this.n);
    }
    this.url = URL.createObjectURL(new Blob(this.pieces, { type: kind }));
    this.pieces = [];
    this.box.src = this.url;
  }

  begin() {
    this.isLoaded = true;
    this.ui.saying.clear();
    this.seek(this.ui.player.time());
    this.ui.showButtons();
    this.ui.paintSoon();
  }

  refuse(text) {
    this.isWanted = false;
    this.drop();
    this.ui.say(text, { isError: true });
    this.ui.showButtons();
    this.ui.paintSoon();
  }

  drop() {
    this.box.pause();
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = null;
    this.box.removeAttribute("src");
    Object.assign(this, { isLoaded: false, pieces: [], n: 0, startsAt: 0 });
  }

  /** Where the film is, on the clock of the labels: players count from where it starts. */
  get time() {
    return this.box.currentTime + this.startsAt;
  }

  get hasEnded() {
    return this.box.ended;
  }

  /** How far the film is from a time, as far as it reaches. */
  off(t) {
    return Math.abs(this.box.currentTime - clamp(t - this.startsAt, 0, this.box.duration));
  }

  seek(t) {
    const to = clamp(t - this.startsAt, 0, this.box.duration);
    this.box.currentTime = to + 1e-3; // not the frame before
  }

  play(t, speed) {
    if (this.off(t) > NEAR_S) this.seek(t);
    this.box.playbackRate = speed;
    this.box.play().catch(() => this.ui.player.stop()); // where pages may not begin to sound
  }

  /** Show the film where the playhead is; a playing one leads it. */
  paint() {
    this.box.hidden = !this.isOn || this.ui.screen.view === "skeleton";
    if (!this.isOn) return;
    const { player } = this.ui;
    const off = this.off(player.time());
    if (player.playing ? off > FAR_S : !this.box.seeking && off > NEAR_S) this.seek(player.time());
  }

  pause() {
    this.box.pause();
  }

  dispose() {
    this.drop();
  }
}
