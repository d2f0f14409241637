/* Entry of the notebook cell. Everything heavy comes by message, nothing by trait.
 *
 * out: hello | start | begin, add, label, end {seq, ...} (recordings)
 * in:  model {model, setup} | parts {names} + buffers | done {seq, ok, reason}
 */

import { App } from "./app.js";
import { RemoteSaver } from "./savers.js";

const SLOW_MS = 60_000; // 8 MB may come from far away
const KEEP_MS = 15_000;

/** Ask the kernel to keep something; it answers once that is on disk. */
class Kernel {
  constructor(model) {
    this.model = model;
    this.seq = 0;
    this.waiting = new Map();
  }

  ask(type, content, bytes) {
    this.seq += 1;
    const seq = this.seq;
    return new Promise((resolve, reject) => {
      const late = () => this.settle({ seq, ok: false, reason: "the kernel does not answer" });
      this.waiting.set(seq, { resolve, reject, timer: setTimeout(late, KEEP_MS) });
      this.model.send({ type, seq, ...content }, undefined, bytes ? [bytes] : []);
    });
  }

  settle({ seq, ok, reason }) {
    const asked = this.waiting.get(seq);
    if (!asked) return;
    clearTimeout(asked.timer);
    this.waiting.delete(seq);
    if (ok) asked.resolve();
    else asked.reject(new Error(reason));
  }
}

function render({ model, el }) {
  const kernel = new Kernel(model);
  let take = null;
  const services = {
    keys: el,
    saver: new RemoteSaver((...asked) => kernel.ask(...asked)),
    loadParts: () =>
      new Promise((resolve, reject) => {
        take = resolve;
        setTimeout(() => reject(new Error("the kernel does not answer")), SLOW_MS);
        model.send({ type: "start" });
      }),
  };
  el.dataset.lmSuppressShortcuts = "true";
  const app = new App(el, services);
  app.say("Waiting for the kernel. Run this cell if it does not answer.");
  const listen = (message, buffers) => {
    if (message.type === "done") kernel.settle(message);
    if (message.type === "model") {
      app.open(message.model, message.setup);
    }
    if (message.type === "parts") {
      const bytes = buffers.map((view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
      const [worker, wasm, weights] = bytes;
      take?.({ worker: new TextDecoder().decode(worker), wasm, weights });
    }
  };
  model.on("msg:custom", listen);
  model.send({ type: "hello" });
  return () => {
    model.off("msg:custom", listen);
    app.close();
  };
}

export default { render };
