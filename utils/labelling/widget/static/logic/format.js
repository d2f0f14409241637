/* Times and colours as text. */

/** 63.5 -> "1:03", or with one digit "1:03.5"; an hour has two colons. */
export function formatTime(t, digits = 0) {
  const scale = 10 ** digits;
  const whole = Math.floor(t * scale + 1e-6) / scale;
  const minutes = Math.floor(whole / 60);
  const seconds = (whole - 60 * minutes).toFixed(digits).padStart(digits ? 3 + digits : 2, "0");
  const hours = Math.floor(minutes / 60);
  return hours
    ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${seconds}`
    : `${minutes}:${seconds}`;
}

export const formatSeconds = (s) => `${s.toFixed(s < 10 ? 1 : 0)} s`;

/** Black or white, whichever reads better on a colour #rrggbb. */
export function inkOn(colour) {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#000000" : "#ffffff";
}
