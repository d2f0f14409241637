/* Where pictures come from: a camera or a film from disk; and what to say if they do not. */

const REFUSALS = {
  NotAllowedError:
    "The camera was refused. Allow it beside the page's address, then press Start camera again.",
  NotFoundError: "No camera was found. Plug one in and press Start camera, or open a film.",
  NotReadableError:
    "The camera is busy in another program. Close that program, then press Start camera again.",
  insecure:
    "Browsers give no camera to a page over plain http. Open it by localhost or https, or open a film.",
};
export const SENTENCES = {
  unplugged:
    "The camera was unplugged. What was counted and recorded is kept; plug it in and press Start camera.",
  hidden: "This tab was hidden: nothing is counted until you are back, and nothing is lost.",
  unplayable: "This browser cannot play that film. Try one in mp4 (H.264), or another browser.",
  ended: "The film has ended.",
};

/** Say in one sentence why there is no camera. */
export function describeRefusal(error) {
  if (!globalThis.isSecureContext || !navigator.mediaDevices) return REFUSALS.insecure;
  if (error.name === "SecurityError") return REFUSALS.NotAllowedError;
  if (error.name === "OverconstrainedError") return REFUSALS.NotFoundError;
  if (error.name === "AbortError") return REFUSALS.NotReadableError;
  return REFUSALS[error.name] ?? `The camera did not start (${error.message}). Try again.`;
}

/** Open a camera; `device` is one of `listCameras`, or "" for any. */
export async function openCamera(device) {
  if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
  const size = { width: { ideal: 640 }, height: { ideal: 480 } };
  const video = device ? { ...size, deviceId: { exact: device } } : size;
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (error) {
    // the one chosen before may be gone: then any other
    if (!device || error.name !== "OverconstrainedError") throw error;
    return navigator.mediaDevices.getUserMedia({ video: size, audio: false });
  }
}

/** The cameras there are: [{id, name}]; names are known once one was allowed. */
export async function listCameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const cameras = devices.filter((device) => device.kind === "videoinput");
  return cameras.map((camera, i) => ({ id: camera.deviceId, name: camera.label || `Camera ${i + 1}` }));
}

/** Call `take(seconds)` for each new frame of a video element; return what ends it. */
export function watchFrames(video, take) {
  let goesOn = true;
  const isFilm = () => !video.srcObject;
  if (video.requestVideoFrameCallback) {
    const next = (now, frame) => {
      if (!goesOn) return;
      take(isFilm() ? frame.mediaTime : now / 1000);
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  } else {
    let last = -1;
    const next = (now) => {
      if (!goesOn) return;
      if (video.currentTime !== last && video.readyState >= 2) {
        last = video.currentTime;
        take(isFilm() ? last : now / 1000);
      }
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  }
  return () => {
    goesOn = false;
  };
}
