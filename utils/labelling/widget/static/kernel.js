/* What the page knows of the kernel, beside what the kernel says itself. */

const LOOK_EVERY_MS = 400;
const GONE = ["dead", "terminating", "restarting", "autorestarting"];

/** What is known: "alive", "busy", "lost" (no connection), "gone", or "" where nothing is. */
function readKernel(manager, firstId, el) {
  // Set by Jupyter's widgets once the kernel has forgotten this one.
  if (el.closest(".jupyter-widgets-disconnected")) return "gone";
  const kernel = manager?.kernel; // VS Code and Colab have none
  if (!firstId) return "";
  if (!kernel || kernel.isDisposed || kernel.id !== firstId) return "gone";
  if (GONE.includes(kernel.status)) return "gone";
  if (kernel.connectionStatus && kernel.connectionStatus !== "connected") return "lost";
  return kernel.status === "busy" ? "busy" : "alive";
}

/**
 * Call `tell` with what is known, each time that it has changed.
 *
 * A kernel that is gone stays gone: the one that is started in its place knows nothing of
 * this widget. Returns how to look at once, and how to end.
 */
export function watchKernel(manager, el, tell) {
  let first = null; // the kernel that was there at first
  let last;
  let timer;
  const look = () => {
    if (last === "gone") return;
    if (!first && manager?.kernel) {
      first = { id: manager.kernel.id, kernel: manager.kernel };
      // Looking now and then would miss a connection that is soon there again.
      first.kernel.connectionStatusChanged?.connect(look);
    }
    const now = readKernel(manager, first?.id, el);
    if (now === last) return;
    last = now;
    if (now === "gone") clearInterval(timer);
    tell(now);
  };
  const stop = () => {
    clearInterval(timer);
    first?.kernel.connectionStatusChanged?.disconnect(look);
  };
  timer = setInterval(look, LOOK_EVERY_MS);
  look();
  return { look, stop };
}
