/* Stands in for `@litertjs/wasm-utils`: WebAssembly from bytes at hand.
 *
 * The package's own loader adds a script by address and lets it fetch the rest. Here
 * glue code and bytes are there already, so that nothing asks the network.
 */

let binary = null;

/** Give the bytes of the `.wasm` file before `loadLiteRt` is called. */
export function setWasmBinary(bytes) {
  binary = bytes;
}

/** What LiteRT.js calls; the path is not needed. */
export async function createWasmLib(build) {
  const module = await globalThis.ModuleFactory({ wasmBinary: binary });
  binary = null;
  return new build(module);
}
