/* Which square of a picture the network sees: the rules of utils/pose/crop.py.
 *
 * A square {left, top, side} may reach beyond the picture. A pose is a Float64Array of
 * 17 x (x_px, y_px, score), COCO order.
 */

export const MIN_SCORE = 0.2; // a keypoint below it counts as not seen
const TORSO_FACTOR = 1.9;
const BODY_FACTOR = 1.2;
const SHOULDERS = [5, 6];
const HIPS = [11, 12];

const isSeen = (pose, keypoint) => pose[3 * keypoint + 2] > MIN_SCORE;

/** Middle of two keypoints, seen or not: [x_px, y_px]. */
function middle(pose, [a, b]) {
  return [(pose[3 * a] + pose[3 * b]) / 2, (pose[3 * a + 1] + pose[3 * b + 1]) / 2];
}

/** Mean score of the 17 keypoints. */
export function meanScore(pose) {
  let sum = 0;
  for (let i = 2; i < 51; i += 3) sum += pose[i];
  return sum / 17;
}

/** Whether a shoulder and a hip were seen, so that there is a torso to measure. */
export function hasTorso(pose) {
  return SHOULDERS.some((k) => isSeen(pose, k)) && HIPS.some((k) => isSeen(pose, k));
}

/** Whether the pose is a person: `find_people` of utils/pose/estimate.py. */
export const isPerson = (pose) => meanScore(pose) >= MIN_SCORE && hasTorso(pose);

/** Whether a torso was seen that stands, 45 degrees off at most. */
export function isUpright(pose) {
  if (!hasTorso(pose)) return false;
  const [hipX, hipY] = middle(pose, HIPS);
  const [shoulderX, shoulderY] = middle(pose, SHOULDERS);
  return hipY > shoulderY && Math.abs(hipX - shoulderX) <= hipY - shoulderY;
}

/** The smallest square round a whole picture, the picture in its middle. */
export function frameSquare(width, height) {
  const side = Math.max(width, height);
  return { left: (width - side) / 2, top: (height - side) / 2, side };
}

/** The square round a person; null without a torso, or where it is no closer look. */
export function personSquare(pose, width, height) {
  if (!hasTorso(pose)) return null;
  const [x, y] = middle(pose, HIPS);
  const reach = (k) => Math.max(Math.abs(pose[3 * k] - x), Math.abs(pose[3 * k + 1] - y));
  let torso = 0;
  let body = 0;
  for (let k = 0; k < 17; k += 1) {
    if (SHOULDERS.includes(k) || HIPS.includes(k)) torso = Math.max(torso, reach(k));
    if (isSeen(pose, k)) body = Math.max(body, reach(k));
  }
  const farEdge = Math.max(x, width - x, y, height - y);
  const half = Math.min(Math.max(TORSO_FACTOR * torso, BODY_FACTOR * body), farEdge);
  if (half > Math.max(width, height) / 2 || half < 1) return null;
  return { left: x - half, top: y - half, side: 2 * half };
}

/** Shared area of two squares over the area of both together. */
export function overlap(a, b) {
  const along = (edge) => {
    const low = Math.max(a[edge], b[edge]);
    return Math.max(0, Math.min(a[edge] + a.side, b[edge] + b.side) - low);
  };
  const shared = along("left") * along("top");
  return shared / (a.side ** 2 + b.side ** 2 - shared);
}
