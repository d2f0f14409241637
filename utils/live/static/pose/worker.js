/* The worker: pictures in, poses out, so that the page never waits for the network.
 *
 * in:  load {id, wasm, weights} | reset | look {id, data, width, height, time}
 * out: done {id, ...} | failed {id, reason}
 */

import { Follower } from "./follow.js";
import { loadNetwork } from "./network.js";

let follower = null;

const answers = {
  async load({ wasm, weights }) {
    follower = new Follower(await loadNetwork(wasm, weights));
    return {};
  },
  async reset() {
    follower?.reset();
  },
  async look({ data, width, height, time }) {
    const start = performance.now();
    const found = await follower.next({ data, width, height }, time);
    return { ...found, milliseconds: performance.now() - start };
  },
};

globalThis.onmessage = async ({ data: message }) => {
  const { type, id } = message;
  try {
    const answer = await answers[type](message);
    if (answer) postMessage({ type: "done", id, ...answer });
  } catch (error) {
    postMessage({ type: "failed", id, reason: String(error?.message ?? error) });
  }
};
