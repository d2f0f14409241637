/* The skeleton over the picture, in the colours that Python decides. */

import { KEYPOINTS } from "./classifier.js";
import { MIN_SCORE } from "./pose/squares.js";

/** Side of the body that a keypoint's name tells. */
function sideOf(name) {
  if (name.startsWith("left_")) return "left";
  return name.startsWith("right_") ? "right" : "middle";
}

/** Draw a pose on a canvas as large as the picture; nothing where `pose` is null. */
export function drawPose(canvas, pose, edges, colours) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!pose) return;
  const size = Math.max(2, Math.max(canvas.width, canvas.height) / 200);
  const isSeen = (k) => pose[3 * k + 2] >= MIN_SCORE;
  context.lineWidth = size;
  context.lineCap = "round";
  for (const [first, second] of edges) {
    const [a, b] = [KEYPOINTS.indexOf(first), KEYPOINTS.indexOf(second)];
    if (!isSeen(a) || !isSeen(b)) continue;
    const isOneSide = sideOf(first) === sideOf(second);
    context.strokeStyle = colours[isOneSide ? sideOf(first) : "middle"];
    context.beginPath();
    context.moveTo(pose[3 * a], pose[3 * a + 1]);
    context.lineTo(pose[3 * b], pose[3 * b + 1]);
    context.stroke();
  }
  KEYPOINTS.forEach((name, k) => {
    if (!isSeen(k)) return;
    context.fillStyle = colours[sideOf(name)];
    context.beginPath();
    context.arc(pose[3 * k], pose[3 * k + 1], 1.4 * size, 0, 2 * Math.PI);
    context.fill();
  });
}
