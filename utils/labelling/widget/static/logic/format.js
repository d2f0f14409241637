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

/** "1:03.5", "63.5" or "1:00:00" as seconds; null if it is no time. */
export function parseTime(text) {
  const parts = text.trim().replace(",", ".").split(":");
  if (parts.length > 3 || parts.some((part) => !/^\d+(\.\d*)?$/.test(part))) return null;
  return parts.reduce((total, part) => 60 * total + Number(part), 0);
}

export const formatSeconds = (s) => `${s.toFixed(s < 10 ? 1 : 0)} s`;

/** How much light a colour #rrggbb gives, 0 to 1 (WCAG 2, relative luminance). */
function luminance(colour) {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const share = parseInt(colour.slice(i, i + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Black or white, whichever stands out more from a colour: 4.58 : 1 at the least. */
export const inkOn = (colour) => (luminance(colour) > 0.179 ? "#000000" : "#ffffff");
