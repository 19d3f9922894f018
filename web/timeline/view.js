/**
 * The part of the song that is seen: pure functions.
 *
 * @typedef {{from: number, to: number}} View In seconds of the song.
 */

/** Seconds that are seen at least. */
const NEAREST = 0.5;
/** Seconds from which a song is long, and those that are seen of it at first. */
const LONG = 30;
const OPENING = 20;

/** All of the song. @returns {View} */
export const whole = (seconds) => ({ from: 0, to: Math.max(seconds, NEAREST) });

/** A short song as a whole, the beginning of a long one. @returns {View} */
export const opening = (seconds) => whole(seconds > LONG ? OPENING : seconds);

/** Seen `factor` times as large, with the second `around` staying where it is. @returns {View} */
export function zoom(view, factor, around, seconds) {
  const wide = view.to - view.from;
  const wanted = Math.min(Math.max(wide / factor, NEAREST), Math.max(seconds, NEAREST));
  const place = (around - view.from) / wide;
  return within({ from: around - place * wanted, to: around + (1 - place) * wanted }, seconds);
}

/** The same width, later by `by` seconds. @returns {View} */
export const scroll = (view, by, seconds) =>
  within({ from: view.from + by, to: view.to + by }, seconds);

/** The same width, with `time` in the middle. @returns {View} */
export const centred = (view, time, seconds) =>
  scroll(view, time - (view.from + view.to) / 2, seconds);

/** The same width, with `time` in it. @returns {View} */
export function showing(view, time, seconds) {
  if (time >= view.from && time <= view.to) return view;
  const wide = view.to - view.from;
  return within({ from: time - wide * 0.1, to: time + wide * 0.9 }, seconds);
}

function within({ from, to }, seconds) {
  const wide = to - from;
  const start = Math.max(0, Math.min(from, Math.max(seconds, NEAREST) - wide));
  return { from: start, to: start + wide };
}

/** Place of `time` on `width` pixels. @param {View} view */
export const toX = (view, time, width) => ((time - view.from) / (view.to - view.from)) * width;

/** The second at the pixel `x` of `width`. @param {View} view */
export const toTime = (view, x, width) => view.from + (x / width) * (view.to - view.from);

/** "1:02.35" @param {number} time */
export function clock(time, digits = 2) {
  const factor = 10 ** digits;
  const total = Math.round(Math.abs(time) * factor) / factor;
  const minutes = Math.floor(total / 60);
  const rest = (total - minutes * 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return `${time < 0 ? "-" : ""}${minutes}:${rest}`;
}
