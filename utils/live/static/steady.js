/* The one steady rule: label, hold and repetitions out of probabilities over time.
 *
 * Counted in seconds, never in frames. The same as `Steady` of utils/predict/steady.py,
 * where the constants are argued for; both pass tests/predict/steady_cases.json.
 */

const HALF_LIFE_S = 0.15; // after this time without support half of a share is left
const ENTER = 0.7; // a posture is held once its share has been this much
const DWELL_S = 0.25; // for so long; the hold starts where that began
const LEAVE = 0.3; // and ends where its share falls below this
const GAP_S = 0.5; // after a longer pause nothing is carried over
const REPETITION_HALF_LIFE_S = 0.1;
const REPETITION_ENTER = 0.6;
const REPETITIONS_APART_S = 0.5;
const SHOWN_FROM = 2; // one return may be chance
const EPSILON_S = 1e-9; // 0.1 + 0.2 is no longer than 0.3

export class Steady {
  /** `labels`: how many; `pair`: [home, away] as indices, or null to count nothing; `gap`: seconds. */
  constructor(labels, { noneBelow = 0, pair = null, gap = GAP_S } = {}) {
    this.labels = labels;
    this.noneBelow = noneBelow;
    this.gap = gap;
    this.time = -Infinity;
    this.countAnew(pair);
    this.forget();
  }

  /** Count another pair, or the same from 0. */
  countAnew(pair) {
    this.pair = pair;
    this.repetitions = 0;
    this.counted = -Infinity;
    this.wasHome = this.wasAway = false;
  }

  /** Carry nothing over: no shares, no hold, no half repetition; counts stay. */
  forget() {
    this.slow = new Array(this.labels).fill(0);
    this.fast = [...this.slow];
    this.held = null; // {label, since}
    this.near = null; // enough, but not yet for long
    this.wasHome = this.wasAway = false;
  }

  /**
   * Take in a frame at a time in seconds; `shares` is null if nobody was seen.
   *
   * Returns {label: index or null, held: seconds, repetitions, shown}.
   */
  update(time, shares) {
    const step = time - this.time;
    const isNew = !(step >= 0 && step <= this.gap + EPSILON_S);
    if (isNew) this.forget();
    this.time = time;
    const isSeen = shares !== null && Math.max(...shares) >= this.noneBelow;
    const fade = (faded, halfLife) => {
      const keep = isNew ? 0 : 2 ** (-step / halfLife);
      return faded.map((p, i) => keep * p + (1 - keep) * (isSeen ? shares[i] : 0));
    };
    this.slow = fade(this.slow, HALF_LIFE_S);
    this.fast = fade(this.fast, REPETITION_HALF_LIFE_S);
    this.followHold();
    if (this.pair) this.count(...this.pair);
    const { repetitions } = this;
    return {
      label: this.held ? this.held.label : null,
      held: this.held ? time - this.held.since : 0,
      repetitions,
      shown: repetitions >= SHOWN_FROM ? repetitions : 0,
    };
  }

  /** Leave the posture held if its share fell; enter one that has had enough. */
  followHold() {
    if (this.held && this.slow[this.held.label] < LEAVE) this.held = null;
    const best = this.slow.indexOf(Math.max(...this.slow));
    if (this.slow[best] < ENTER || this.held?.label === best) {
      this.near = null;
      return;
    }
    if (this.near?.label !== best) this.near = { label: best, since: this.time };
    if (this.time - this.near.since >= DWELL_S - EPSILON_S) {
      this.held = this.near;
      this.near = null;
    }
  }

  /** Count a return home from away. */
  count(home, away) {
    if (this.fast[away] >= REPETITION_ENTER) this.wasAway = this.wasHome;
    if (this.fast[home] < REPETITION_ENTER) return;
    if (this.wasAway && this.time - this.counted >= REPETITIONS_APART_S - EPSILON_S) {
      this.repetitions += 1;
      this.counted = this.time;
    }
    this.wasHome = true;
    this.wasAway = false;
  }
}
