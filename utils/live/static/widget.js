/* Entry of the notebook cell. Everything heavy comes by message, nothing by trait.
 *
 * out: hello | start | begin, add, label, end {seq, ...} (recordings)
 * in:  model {model, setup} | parts {names} + buffers | done {seq, ok, reason}
 */

import { App } from "./app.js";

const SLOW_MS = 60_000;

/** Keeps recordings by the kernel, on disk before it answers. */
class KernelSaver {
  constructor(model) {
    this.model = model;
    this.seq = 0;
    this.waiting = new Map();
    this.place = "in the folder of videos";
  }

  ask(type, content, buffers = []) {
    this.seq += 1;
    const seq = this.seq;
    return new Promise((resolve, reject) => {
      const late = () => this.settle({ seq, ok: false, reason: "the kernel does not answer" });
      this.waiting.set(seq, { resolve, reject, timer: setTimeout(late, SLOW_MS) });
      this.model.send({ type, seq, ...content }, undefined, buffers);
    });
  }

  settle({ seq, ok, reason, ...rest }) {
    const asked = this.waiting.get(seq);
    if (!asked) return;
    clearTimeout(asked.timer);
    this.waiting.delete(seq);
    if (ok) asked.resolve(rest);
    else asked.reject(new Error(reason));
  }

  begin(film) {
    return this.ask("begin", film);
  }

  async add(name, blob) {
    return this.ask("add", { name }, [await blob.arrayBuffer()]);
  }

  label(name, span) {
    return this.ask("label", { name, ...span });
  }

  end(name) {
    return this.ask("end", { name });
  }
}

function render({ model, el }) {
  const saver = new KernelSaver(model);
  let take = null;
  const services = {
    saver,
    loadParts: () =>
      new Promise((resolve, reject) => {
        take = resolve;
        setTimeout(() => reject(new Error("the kernel does not answer")), SLOW_MS);
        model.send({ type: "start" });
      }),
  };
  const app = new App(el, services);
  app.say("Waiting for the kernel. Run this cell if it does not answer.");
  const listen = (message, buffers) => {
    if (message.type === "done") saver.settle(message);
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
