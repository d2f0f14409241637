/* `model.json` at work: refused unless every answer in it comes out again.
 *
 * The format is told in utils/export/model_json.py; the rules are those of
 * utils/pose/features.py. A pose is a Float64Array of 17 x (x_px, y_px, score).
 */

const FORMAT = "posenet-posture-classifier";
const VERSION = 1;
const TOLERANCE = 1e-4;
const TORSO_FACTOR = 2.5;
const SIDES = ["eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"];
export const KEYPOINTS = ["nose", ...SIDES.flatMap((part) => [`left_${part}`, `right_${part}`])];
const COLUMNS = KEYPOINTS.flatMap((name) => [`${name}_x`, `${name}_y`]);
const SHOULDERS = [5, 6];
const HIPS = [11, 12];

const range = (n) => Array.from({ length: n }, (_, i) => i);
const isMissing = (pose, k) => !Number.isFinite(pose[3 * k]) || !Number.isFinite(pose[3 * k + 1]);

function meanOf(pose, keypoints) {
  const seen = keypoints.filter((k) => !isMissing(pose, k));
  const sum = (axis) => seen.reduce((total, k) => total + pose[3 * k + axis], 0);
  return [sum(0) / seen.length, sum(1) / seen.length];
}

/** What each rule subtracts and divides by: {x, y, width, height}. */
const FRAMES = {
  normalised(pose) {
    const seen = range(17).filter((k) => !isMissing(pose, k));
    const edge = (pick, axis) => pick(...seen.map((k) => pose[3 * k + axis]));
    const [left, right, top, bottom] = [
      edge(Math.min, 0), edge(Math.max, 0), edge(Math.min, 1), edge(Math.max, 1),
    ];
    const side = Math.max(right - left, bottom - top) || 1;
    return { x: (left + right) / 2, y: (top + bottom) / 2, width: side, height: side };
  },
  torso(pose) {
    const [x, y] = meanOf(pose, HIPS);
    const [shoulderX, shoulderY] = meanOf(pose, SHOULDERS);
    const reach = range(17)
      .filter((k) => !isMissing(pose, k))
      .map((k) => Math.hypot(pose[3 * k] - x, pose[3 * k + 1] - y));
    const torso = TORSO_FACTOR * Math.hypot(shoulderX - x, shoulderY - y);
    const side = Math.max(...reach, Number.isNaN(torso) ? 0 : torso) || 1;
    return { x, y, width: side, height: side };
  },
  raw: (_, width, height) => ({ x: 0, y: 0, width, height }),
};

/** The 34 numbers of a pose in a picture of a size in pixels. */
export function computeFeatures(rule, pose, width, height) {
  const frame = FRAMES[rule](pose, width, height);
  const numbers = new Float64Array(34);
  for (const k of range(17)) {
    numbers[2 * k] = Math.fround((pose[3 * k] - frame.x) / frame.width);
    numbers[2 * k + 1] = Math.fround((pose[3 * k + 1] - frame.y) / frame.height);
  }
  for (const axis of [0, 1]) {
    const seen = range(17).map((k) => numbers[2 * k + axis]).filter(Number.isFinite);
    const mean = seen.reduce((total, value) => total + value, 0) / seen.length;
    for (const k of range(17)) if (!Number.isFinite(numbers[2 * k + axis])) numbers[2 * k + axis] = mean;
  }
  return numbers;
}

/** The logit of each label for 34 numbers. */
export function computeLogits(model, features) {
  return model.bias.map((bias, label) =>
    features.reduce((total, value, i) => total + value * model.weights[i][label], bias),
  );
}

/** The probability of each label for its logits. */
export function computeShares(model, logits) {
  const highest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp((logit - highest) / model.temperature));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** How unlike all that was learnt a pose is: above 0 it is none of these. */
export function measureDoubt({ doubt }, features) {
  if (!doubt) return -Infinity;
  const unlike = doubt.roots.map((root, posture) =>
    doubt.offsets[posture].reduce((total, offset, j) => {
      const way = features.reduce((sum, value, i) => sum + value * root[i][j], offset);
      return total + way * way;
    }, doubt.log_dets[posture]),
  );
  return Math.min(...unlike) - doubt.threshold;
}

/** The probability of each label for a pose in a picture of a size in pixels; 0
 *  throughout where the pose is none of these. */
export function predict(model, pose, width, height) {
  const features = computeFeatures(model.features.rule, pose, width, height);
  if (measureDoubt(model, features) > 0) return model.labels.map(() => 0);
  return computeShares(model, computeLogits(model, features));
}

/* ---------- what makes a model refused ---------- */

class RefusedError extends Error {}

function refuse(reason) {
  throw new RefusedError(
    `model.json cannot be used: ${reason}. It was changed or damaged after it was written; export it again.`,
  );
}

function checkOrder(found, expected) {
  const at = range(Math.max(found.length, expected.length)).find((i) => found[i] !== expected[i]);
  if (at !== undefined) refuse(`it has ${found[at] ?? "nothing"} where ${expected[at] ?? "nothing"} belongs`);
}

function checkNumber(name, value, answer, number) {
  const isNear = Math.abs(value - answer) <= TOLERANCE * Math.max(1, Math.abs(answer));
  if (!isNear) refuse(`in check ${number}, ${name} comes out as ${value} where ${answer} is written`);
}

function checkAnswers(model, check, number) {
  const stranger = Object.keys(check.keypoints).find((name) => !KEYPOINTS.includes(name));
  if (stranger) refuse(`check ${number} names ${stranger}, which is no keypoint`);
  const pose = Float64Array.from(model.keypoints.flatMap((name) => check.keypoints[name]));
  const features = computeFeatures(model.features.rule, pose, ...check.size_wh);
  const logits = computeLogits(model, features);
  const shares = computeShares(model, logits);
  COLUMNS.forEach((name, i) => checkNumber(name, features[i], check.features[name], number));
  if (model.doubt) {
    const size = Math.max(1, ...model.doubt.log_dets.map(Math.abs), Math.abs(check.unlike));
    checkNumber("the doubt", measureDoubt(model, features) / size, check.unlike / size, number);
  }
  model.labels.forEach((label, i) => {
    checkNumber(label, logits[i], check.logits[label], number);
    checkNumber(label, shares[i], check.probabilities[label], number);
  });
}

/** JSON as RFC 8785 writes it: no spaces, keys sorted. */
function writeCanonical(value) {
  if (Array.isArray(value)) return `[${value.map(writeCanonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const pairs = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${writeCanonical(value[key])}`);
  return `{${pairs.join(",")}}`;
}

/** sha256 as hex digits; null where the page is not secure and browsers withhold it. */
export async function hashBytes(bytes) {
  if (!globalThis.crypto?.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return a model if it may be used; throw an error of one sentence if not. */
export async function checkModel(model) {
  if (model?.format !== FORMAT) refuse(`it is not of the format ${FORMAT}`);
  if (model.version !== VERSION) refuse(`expected version ${VERSION}, found ${model.version}`);
  try {
    checkOrder(model.keypoints, KEYPOINTS);
    checkOrder(model.features.columns, COLUMNS);
    if (!(model.features.rule in FRAMES)) refuse(`the feature rule ${model.features.rule} is unknown`);
    if (!(model.temperature > 0) || model.checks.length === 0) refuse("it has no temperature or no checks");
    model.checks.forEach((check, i) => checkAnswers(model, check, i + 1));
    const { digest, ...rest } = model;
    const found = await hashBytes(new TextEncoder().encode(writeCanonical(rest)));
    if (found !== null && found !== digest) refuse("its digest is not that of its content");
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    refuse("a part of it is missing"); // a TypeError on the way to a number
  }
  return model;
}
