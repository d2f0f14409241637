/* One person through a video: the rule and constants of utils/pose/follow.py.
 *
 * The square round the person of the frame before is looked at, and a second look is
 * taken only where the new pose's own square lies elsewhere. Where the person is lost,
 * after a gap in time and at a cut, the search starts afresh: the whole picture, then
 * the person, and the picture turned to the side where that is doubtful.
 */

import { frameSquare, hasTorso, isUpright, meanScore, overlap, personSquare } from "./squares.js";

export const RULE = {
  MIN_OVERLAP: 0.65,
  LOST_SCORE: 0.3,
  MAX_GAP_S: 0.5,
  CUT_LEVELS: 40,
  DOUBTFUL_SCORE: 0.5,
  TURNED_MARGIN: 0.1,
};
const GLANCE = 16; // points a side that two frames are compared at

/** Turn a picture by quarter turns to the left (1) or right (3), as `np.rot90` does. */
export function turnPicture({ data, width, height }, turns) {
  const from = new Uint32Array(data.buffer, data.byteOffset, width * height);
  const to = new Uint32Array(width * height);
  for (let y = 0; y < width; y += 1) {
    for (let x = 0; x < height; x += 1) {
      const source = turns === 1 ? x * width + (width - 1 - y) : (height - 1 - x) * width + y;
      to[y * height + x] = from[source];
    }
  }
  return { data: new Uint8ClampedArray(to.buffer), width: height, height: width };
}

/** Give a pose found in a turned picture in pixels of the picture itself. */
export function turnBack(pose, turns, { width, height }) {
  const back = new Float64Array(51);
  for (let i = 0; i < 51; i += 3) {
    back[i] = turns === 1 ? width - pose[i + 1] : pose[i + 1];
    back[i + 1] = turns === 1 ? pose[i] : height - pose[i];
    back[i + 2] = pose[i + 2];
  }
  return back;
}

/** A few points of a picture, to see whether the next has anything to do with it. */
function glance({ data, width, height }) {
  const points = [];
  const place = (i, n) => Math.trunc((i * (n - 1)) / (GLANCE - 1));
  for (let row = 0; row < GLANCE; row += 1) {
    for (let column = 0; column < GLANCE; column += 1) {
      const at = 4 * (place(row, height) * width + place(column, width));
      points.push(data[at], data[at + 1], data[at + 2]);
    }
  }
  return points;
}

const isLost = (pose) => meanScore(pose) < RULE.LOST_SCORE || !hasTorso(pose);

const findSquare = (pose, { width, height }) =>
  personSquare(pose, width, height) ?? frameSquare(width, height);

/** Follows one person with `look(picture, square)`, see network.js. */
export class Follower {
  constructor(look) {
    this.look = look;
    this.reset();
  }

  /** Forget the frame before. */
  reset() {
    this.square = null;
    this.time = -Infinity;
    this.glance = null;
  }

  /** The pose in a picture at a time in seconds: {pose, looks}. */
  async next(picture, time) {
    this.looks = 0;
    const isCut = this.isCut(picture);
    const gap = time - this.time;
    const goesOn = !isCut && gap >= 0 && gap <= RULE.MAX_GAP_S;
    let pose = goesOn && this.square ? await this.followOn(picture) : null;
    pose ??= await this.startAfresh(picture);
    this.square = isLost(pose) ? null : findSquare(pose, picture);
    this.time = time;
    return { pose, looks: this.looks };
  }

  isCut(picture) {
    const before = this.glance;
    this.glance = glance(picture);
    if (!before) return true;
    const change = this.glance.reduce((sum, level, i) => sum + Math.abs(level - before[i]), 0);
    return change / before.length > RULE.CUT_LEVELS;
  }

  async see(picture, square) {
    this.looks += 1;
    return this.look(picture, square);
  }

  /** Look where the person was, then where they are; null where they are lost. */
  async followOn(picture) {
    const pose = await this.see(picture, this.square);
    if (isLost(pose)) return null;
    const own = findSquare(pose, picture);
    return overlap(own, this.square) >= RULE.MIN_OVERLAP ? pose : this.see(picture, own);
  }

  async startAfresh(picture) {
    const pose = await this.lookTwice(picture);
    if (meanScore(pose) >= RULE.DOUBTFUL_SCORE || isUpright(pose)) return pose;
    let best = null;
    for (const turns of [1, 3]) {
      const turned = turnPicture(picture, turns);
      const found = await this.see(turned, frameSquare(turned.width, turned.height));
      if (!best || meanScore(found) > meanScore(best.pose)) best = { turns, turned, pose: found };
    }
    const closer = await this.lookCloser(best.turned, best.pose);
    const isBetter = meanScore(closer) > meanScore(pose) + RULE.TURNED_MARGIN;
    return isBetter ? turnBack(closer, best.turns, picture) : pose;
  }

  async lookTwice(picture) {
    const { width, height } = picture;
    return this.lookCloser(picture, await this.see(picture, frameSquare(width, height)));
  }

  async lookCloser(picture, pose) {
    const square = personSquare(pose, picture.width, picture.height);
    return square ? this.see(picture, square) : pose;
  }
}
