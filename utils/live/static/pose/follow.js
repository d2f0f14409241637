/* One person's pose from frame to frame: the rule of utils/pose by which film is followed.
 *
 * The square of the frame before is looked at; a second look is needed only where the
 * new pose's own square overlaps it too little. Where the person is lost, and after a
 * gap in time, the search starts afresh: the whole picture, then the person, and the
 * picture turned to the side where that is doubtful (people who lie).
 */

import { frameSquare, hasTorso, isUpright, meanScore, overlap, personSquare } from "./squares.js";

const MIN_OVERLAP = 0.8;
const LOST_SCORE = 0.3;
const MAX_GAP_S = 0.5;
const DOUBTFUL_SCORE = 0.5;
const TURNED_MARGIN = 0.1;

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

/** Follows one person with `look(picture, square)`, see network.js. */
export class Follower {
  constructor(look) {
    this.look = look;
    this.reset();
  }

  /** Forget the frame before. */
  reset() {
    this.square = null;
    this.time = null;
  }

  /** The pose in a picture at a time in seconds: {pose, looks}. */
  async next(picture, time) {
    this.looks = 0;
    const gap = this.time === null ? Infinity : time - this.time;
    if (gap < 0 || gap > MAX_GAP_S) this.square = null;
    let pose = this.square && (await this.followOn(picture));
    pose ??= await this.startAfresh(picture);
    this.square = personSquare(pose, picture.width, picture.height);
    this.square ??= hasTorso(pose) ? frameSquare(picture.width, picture.height) : null;
    this.time = time;
    return { pose, looks: this.looks };
  }

  async see(picture, square) {
    this.looks += 1;
    return this.look(picture, square);
  }

  /** Look at the square of the frame before; null where the person is lost. */
  async followOn(picture) {
    const { width, height } = picture;
    const pose = await this.see(picture, this.square);
    if (meanScore(pose) < LOST_SCORE || !hasTorso(pose)) return null;
    const own = personSquare(pose, width, height) ?? frameSquare(width, height);
    return overlap(own, this.square) < MIN_OVERLAP ? this.see(picture, own) : pose;
  }

  async startAfresh(picture) {
    const pose = await this.lookTwice(picture);
    if (meanScore(pose) >= DOUBTFUL_SCORE || isUpright(pose)) return pose;
    let best = null;
    for (const turns of [1, 3]) {
      const turned = turnPicture(picture, turns);
      const found = await this.see(turned, frameSquare(turned.width, turned.height));
      if (!best || meanScore(found) > meanScore(best.pose)) best = { turns, turned, pose: found };
    }
    const closer = await this.lookCloser(best.turned, best.pose);
    const isBetter = meanScore(closer) > meanScore(pose) + TURNED_MARGIN;
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
