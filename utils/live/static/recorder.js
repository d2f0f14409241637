/* Teaching from the camera: film while class keys are held, and keep both.
 *
 * A saver (see savers.js) keeps what was recorded. A span is given to it only after the
 * film that it lies in.
 */

const KINDS = ['video/mp4;codecs="avc1.42E01F"', "video/mp4", "video/webm"];
const CHUNK_MS = 500;
const KEY_FRAME_MS = 500; // a fragment of mp4 ends where a key frame comes, no sooner
const BEHIND_S = 0.7; // what has been recorded is in the film so much later
const SHORTEST_S = 0.2; // a slip of the finger is no label

const two = (number) => String(number).padStart(2, "0");

/** Name of a film: who is in it, and when it was made. */
export function nameFilm(who, date) {
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  const time = `${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
  const safe = who.normalize("NFC").replace(/[^\p{L}\p{N}-]+/gu, "_").replace(/^_+|_+$/g, "");
  return `${safe.slice(0, 60) || "camera"}_${day}_${time}`;
}

export class Recorder {
  /** `changed` is called when something was kept or failed. */
  constructor(stream, saver, changed) {
    this.stream = stream;
    this.saver = saver;
    this.changed = changed;
    this.safe = Promise.resolve();
    this.spans = []; // kept
    this.waiting = []; // for the film they lie in
    this.error = null;
    this.held = null;
  }

  /** Begin a film of a person; returns once the first moment is being recorded. */
  async start(who) {
    const kind = KINDS.find((type) => MediaRecorder.isTypeSupported(type));
    const suffix = kind.startsWith("video/mp4") ? ".mp4" : ".webm";
    this.name = nameFilm(who, new Date());
    await this.saver.begin({ name: this.name, who, suffix });
    this.media = new MediaRecorder(this.stream, {
      mimeType: kind,
      videoBitsPerSecond: 4e6,
      videoKeyFrameIntervalDuration: KEY_FRAME_MS,
    });
    this.media.ondataavailable = ({ data }) => {
      if (data.size) this.keep(() => this.saver.add(this.name, data));
      this.keepSpans(this.seconds - BEHIND_S);
    };
    const started = new Promise((resolve) => this.media.addEventListener("start", resolve, { once: true }));
    this.media.start(CHUNK_MS);
    await started;
    this.began = performance.now();
  }

  get seconds() {
    return (performance.now() - this.began) / 1000;
  }

  /** Queue something to be made safe, in order; after a failure nothing is: no holes. */
  keep(save) {
    const unlessFailed = () => (this.error ? null : save());
    this.safe = this.safe.then(unlessFailed).catch((error) => {
      this.error ??= error;
    });
    this.safe.then(() => this.changed());
    return this.safe;
  }

  /** A class key went down. */
  press(label) {
    this.release();
    this.held = { label, start_s: this.seconds };
  }

  /** The key came up: its span is kept once the film that it lies in is. */
  release() {
    const { held } = this;
    this.held = null;
    if (!held || this.seconds - held.start_s < SHORTEST_S) return;
    this.waiting.push({ video: this.name, ...held, end_s: this.seconds });
  }

  /** Keep the spans that ended before a time. */
  keepSpans(until_s) {
    const ready = this.waiting.filter((span) => span.end_s <= until_s);
    this.waiting = this.waiting.filter((span) => span.end_s > until_s);
    for (const span of ready) {
      this.keep(async () => {
        await this.saver.label(this.name, span);
        this.spans.push(span);
      });
    }
  }

  /** End the film; returns when all of it is safe. */
  async stop() {
    this.release();
    if (this.media.state !== "inactive") {
      const stopped = new Promise((resolve) => this.media.addEventListener("stop", resolve, { once: true }));
      this.media.stop();
      await stopped;
    }
    this.keepSpans(Infinity);
    await this.keep(() => this.saver.end(this.name));
    if (this.error) throw this.error;
  }
}
