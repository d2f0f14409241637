/* From a probability a frame to a steady label, holds and repetitions; in seconds.
 *
 * The same rule as utils/predict/steady.py; both pass tests/predict/steady_cases.json.
 */

const HALF_LIFE_S = 0.15;
const ENTER = 0.7;
const ENTER_AFTER_S = 0.25;
const LEAVE = 0.3;
const MAX_GAP_S = 0.5;

const FAST_HALF_LIFE_S = 0.1;
const FAST_ENTER = 0.6;
const FAST_EXIT = 0.4;
const MIN_REPETITION_S = 0.5;

/** Shares that follow those of each frame with a half-life in seconds. */
class Fade {
  constructor(n, halfLife) {
    this.n = n;
    this.halfLife = halfLife;
    this.reset();
  }

  reset() {
    this.shares = null;
    this.time = null;
  }

  /** Take in a frame (null: nobody seen); true where it begins anew after a gap. */
  update(time, shares) {
    const given = shares ?? new Array(this.n).fill(0);
    const step = this.time === null ? Infinity : time - this.time;
    const isNew = !(step >= 0 && step <= MAX_GAP_S);
    const keep = isNew ? 0 : 2 ** (-step / this.halfLife);
    this.shares = given.map((q, i) => (isNew ? q : keep * this.shares[i] + (1 - keep) * q));
    this.time = time;
    return isNew;
  }
}

/** The steady label and for how long it has been held. */
export class Steady {
  constructor(n) {
    this.fade = new Fade(n, HALF_LIFE_S);
    this.reset();
  }

  reset() {
    this.fade.reset();
    this.label = null;
    this.since = null;
    this.rising = null;
    this.risingSince = null;
  }

  /** Take in a frame; return {label: index or null, seconds held, shares}. */
  update(time, shares) {
    if (this.fade.update(time, shares)) this.label = this.rising = null;
    const faded = this.fade.shares;
    if (this.label !== null && faded[this.label] < LEAVE) this.label = null;
    const high = faded.findIndex((p) => p >= ENTER);
    if (high < 0) this.rising = null;
    else if (high !== this.rising) {
      this.rising = high;
      this.risingSince = time;
    }
    if (this.rising !== null && this.rising !== this.label && time - this.risingSince >= ENTER_AFTER_S) {
      this.label = this.rising;
      this.since = this.risingSince;
    }
    const seconds = this.label === null ? 0 : time - this.since;
    return { label: this.label, seconds, shares: faded };
  }
}

/** Counts home -> away -> home. */
export class Repetitions {
  constructor(n, home, away) {
    this.fade = new Fade(n, FAST_HALF_LIFE_S);
    this.pair = [home, away];
    this.restart();
  }

  restart() {
    this.fade.reset();
    this.count = 0;
    this.at = null;
    this.counted = -Infinity;
  }

  /** Take in a frame; return how many are to be shown (none before the second). */
  update(time, shares) {
    return this.count;
  }
}
