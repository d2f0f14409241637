/* Entry of the page: a folder on any host, or one file opened from disk.
 *
 * In the one file everything is inside: a part lies in a script element that is not run,
 * `part-NAME`, as base64. Elsewhere a part is a file beside the page.
 */

import { App } from "./app.js";
import { DownloadSaver, RemoteSaver } from "./savers.js";

/** The bytes of a part. */
async function readPart(name) {
  const inside = document.getElementById(`part-${name}`);
  if (inside) return Uint8Array.from(atob(inside.textContent), (letter) => letter.charCodeAt(0));
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name} is missing beside the page; copy the whole folder`);
  return new Uint8Array(await answer.arrayBuffer());
}

const readText = async (name) => new TextDecoder().decode(await readPart(name));

/** Ask the server of `make live` to keep something; it answers once that is on disk. */
async function askServer(token, type, content, bytes) {
  const address = `keep/${type}?${new URLSearchParams(content)}`;
  const answer = await fetch(address, { method: "POST", headers: { "X-Live": token }, body: bytes });
  if (!answer.ok) throw new Error((await answer.text()) || "the server does not answer");
}

async function start() {
  const setup = JSON.parse(document.getElementById("setup").textContent);
  const services = {
    saver: setup.token
      ? new RemoteSaver((...asked) => askServer(setup.token, ...asked))
      : new DownloadSaver(),
    loadParts: async () => ({
      worker: await readText("worker.js"),
      wasm: await readPart("litert.wasm.gz"),
      weights: await readPart("movenet_lightning.tflite"),
    }),
  };
  const app = new App(document.getElementById("live"), services);
  try {
    const model = setup.has_model ? JSON.parse(await readText("model.json")) : null;
    await app.open(model, setup);
  } catch (error) {
    app.say(`The page could not start: ${error.message}.`);
  }
}

start();
