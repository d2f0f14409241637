/* The page's side of the worker: one picture in flight, its pose as a promise. */

/** Start the worker from its text, so that the page's own policy holds inside it too. */
function startWorker(text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  try {
    return new Worker(address);
  } finally {
    setTimeout(() => URL.revokeObjectURL(address), 10_000); // it may still be loading
  }
}

export class Estimator {
  /** Load everything; `parts`: {worker: text, wasm, weights: Uint8Array}. */
  static async load(parts) {
    const estimator = new Estimator();
    estimator.worker = startWorker(parts.worker);
    estimator.waiting = new Map();
    estimator.worker.onmessage = ({ data }) => estimator.settle(data);
    estimator.worker.onerror = (event) => estimator.fail(event.message || "it did not start");
    await estimator.ask("load", { wasm: parts.wasm, weights: parts.weights }, []);
    return estimator;
  }

  ask(type, message, transfer) {
    this.count = (this.count ?? 0) + 1;
    const id = this.count;
    const answer = new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    this.worker.postMessage({ type, id, ...message }, transfer);
    return answer;
  }

  /** The pose of a picture (ImageData; its bytes are given away) at a time in seconds. */
  estimate(picture, time) {
    const { data, width, height } = picture;
    return this.ask("look", { data, width, height, time }, [data.buffer]);
  }

  /** Forget the frame before: another source, or a jump. */
  reset() {
    this.worker.postMessage({ type: "reset" });
  }

  settle(message) {
    const { resolve, reject } = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.type === "failed") reject(new Error(message.reason));
    else resolve(message);
  }

  fail(reason) {
    for (const { reject } of this.waiting.values()) reject(new Error(reason));
    this.waiting.clear();
  }

  stop() {
    this.worker.terminate();
    this.fail("stopped");
  }
}
