/** The data of a song, small enough for the workflow: peaks as base64 bytes. */

/** @param {import("./editor.js").Seen} seen */
export function packed({ peaks, ...rest }) {
  const bytes = peaks.map((peak) => Math.round(Math.min(Math.max(peak, 0), 1) * 255));
  return { ...rest, peaks: btoa(String.fromCharCode(...bytes)) };
}

/** @returns {import("./editor.js").Seen} */
export function unpacked({ peaks, ...rest }) {
  return { ...rest, peaks: [...atob(peaks)].map((letter) => letter.charCodeAt(0) / 255) };
}
