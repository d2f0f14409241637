/* MoveNet in LiteRT.js: a square of a picture in, 17 keypoints in pixels out.
 *
 * Trap: the network gives (y, x, score), y and x from 0 to 1 of the square it saw.
 * Neither that order nor the square leaves this module (as in utils/pose/networks.py).
 */

import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";
import { sampleSquare } from "./sample.js";
import { setWasmBinary } from "./wasm_loader.js";

/** Unpack bytes if they are gzip; a host may have done so on the way. */
export async function gunzip(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}

/**
 * Start LiteRT.js and compile a MoveNet, once a worker.
 *
 * Returns `look(picture, square)`: picture {data: RGBA bytes, width, height}; the pose is
 * a Float64Array of 17 x (x_px, y_px, score).
 */
export async function loadNetwork(wasm, weights) {
  setWasmBinary(await gunzip(wasm));
  await loadLiteRt("litert.js");
  const model = await loadAndCompile(weights, { accelerator: "wasm" });
  const [, size] = model.getInputDetails()[0].shape;
  const look = async (picture, square) => {
    const input = new Tensor(sampleSquare(picture, square, size), [1, size, size, 3]);
    const [output] = await model.run(input);
    const yxs = output.toTypedArray();
    const pose = new Float64Array(51);
    for (let i = 0; i < 51; i += 3) {
      pose[i] = yxs[i + 1] * square.side + square.left;
      pose[i + 1] = yxs[i] * square.side + square.top;
      pose[i + 2] = yxs[i + 2];
    }
    input.delete();
    output.delete();
    return pose;
  };
  const black = { data: new Uint8ClampedArray(4 * 8 * 8), width: 8, height: 8 };
  await look(black, { left: 0, top: 0, side: 8 }); // the first run compiles
  return look;
}
