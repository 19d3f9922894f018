/**
 * The timeline's model: pure functions over a list of marks, without any page.
 *
 * @typedef {{time: number, down: boolean, muted: boolean, confidence: number}} Mark
 *   One beat: `time` in seconds of the song; `down` where a bar begins; a muted beat is kept here but
 *   not danced; `confidence` is the tracker's, 0 to 1, and 1 for beats that a person set.
 * @typedef {readonly Mark[]} Marks In rising order of time, nearest neighbours `GAP` apart.
 * @typedef {{marks: Marks, seconds: number}} Saved What the node's text holds; `seconds` is the
 *   length of the song that it was made for, 0 where that is not known.
 */
import { t } from "./words.js";

/** Seconds that two beats are apart at least. */
export const GAP = 0.02;
/** Beats that a dance needs. */
export const FEWEST = 2;
/** Beats a bar, where nothing else is known. */
export const BAR = 4;
/** Fewest and most beats a bar. */
export const METERS = [2, 12];
/** Seconds within which an onset draws a beat. */
const SNAP_REACH = 0.12;

/** @param {number} time */
const rounded = (time) => Math.round(time * 10000) / 10000;

/** A beat that is no bar's first. @returns {Mark} */
function markAt(time, muted = false, confidence = 1) {
  return { time: rounded(time), down: false, muted, confidence };
}

/** Marks from lists of seconds, and the confidence of each beat, if known. @returns {Marks} */
export function marksOf(beats, downbeats = [], muted = [], confidence = []) {
  const marks = [
    ...beats.map((time, index) => markAt(time, false, confidence[index] ?? 1)),
    ...muted.map((time) => markAt(time, true)),
  ].sort((one, other) => one.time - other.time);
  const down = downbeats.map(rounded);
  return marks.map((mark) => ({
    ...mark,
    down: down.some((time) => Math.abs(time - mark.time) < 0.001),
  }));
}

/**
 * The beats in a timeline's text; null for an empty one. Bars have `bar` beats if it tells of none.
 * @param {string} text @returns {Saved | null}
 * @throws {Error} with one sentence, where it is not such JSON.
 */
export function parse(text, bar = BAR) {
  if (!text.trim()) return null;
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    throw new Error(t("The timeline's text is not JSON."));
  }
  if (Array.isArray(data)) data = { beats: data };
  const beats = data?.beats;
  if (!areNumbers(beats))
    throw new Error(t('The timeline\'s text has no list "beats" of seconds.'));
  const downbeats = data.downbeats ?? beats.filter((_, index) => index % bar === 0);
  const muted = data.muted ?? [];
  if (!areNumbers(downbeats) || !areNumbers(muted))
    throw new Error(t("The timeline's downbeats and muted beats must be lists of seconds."));
  const confidence = data.confidence ?? beats.map(() => 1);
  if (!areNumbers(confidence) || confidence.length !== beats.length)
    throw new Error(t("The timeline's confidence must be a list with a number for each beat."));
  const marks = marksOf(beats, downbeats, muted, confidence);
  return { marks, seconds: Number(data.seconds) || 0 };
}

const areNumbers = (list) => Array.isArray(list) && list.every((time) => Number.isFinite(time));

/** The text of a timeline; empty for null. @param {Saved | null} saved */
export function serialize(saved) {
  if (!saved) return "";
  const times = (test) => saved.marks.filter(test).map((mark) => mark.time);
  const shares = saved.marks.filter((mark) => !mark.muted).map((mark) => mark.confidence);
  return JSON.stringify({
    beats: times((mark) => !mark.muted),
    downbeats: times((mark) => mark.down),
    muted: times((mark) => mark.muted),
    ...(shares.some((share) => share < 1) ? { confidence: shares } : {}),
    tempo: tempo(saved.marks),
    seconds: saved.seconds,
  });
}

/** Beats a minute, from the usual interval; 0 where there are fewer than two. @param {Marks} marks */
export function tempo(marks) {
  const heard = marks.filter((mark) => !mark.muted);
  const intervals = heard.slice(1).map((mark, index) => mark.time - heard[index].time);
  if (!intervals.length) return 0;
  const middle = median(intervals);
  const usual = intervals.filter((interval) => Math.abs(interval / middle - 1) < 0.15);
  const mean = usual.reduce((sum, interval) => sum + interval, 0) / usual.length;
  return Math.round((60 / (mean || middle)) * 1000) / 1000;
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Beats that are danced. @param {Marks} marks */
export const danced = (marks) => marks.filter((mark) => !mark.muted).length;

/** Index of the mark nearest to `time`, -1 where there is none. @param {Marks} marks */
export function nearest(marks, time) {
  let best = -1;
  marks.forEach((mark, index) => {
    const away = Math.abs(mark.time - time);
    if (best < 0 || away < Math.abs(marks[best].time - time)) best = index;
  });
  return best;
}

/** With one beat more at `time`; the same marks where one is there already. @returns {Marks} */
export function add(marks, time) {
  const near = nearest(marks, time);
  if (near >= 0 && Math.abs(marks[near].time - time) < GAP) return marks;
  return [...marks, markAt(time)].sort((one, other) => one.time - other.time);
}

/** With the beat `index` at `time`, or as near to it as its neighbours let it. @returns {Marks} */
export function move(marks, index, time, seconds) {
  const low = index > 0 ? marks[index - 1].time + GAP : Math.min(0, marks[0].time);
  const last = marks.length - 1;
  const high = index < last ? marks[index + 1].time - GAP : Math.max(seconds, marks[last].time);
  const moved = rounded(Math.min(Math.max(time, low), high));
  return replaced(marks, index, { time: moved, confidence: 1 });
}

/** Without the beat `index`; the same marks where too few would be danced. @returns {Marks} */
export function remove(marks, index) {
  if (!marks[index].muted && danced(marks) <= FEWEST) return marks;
  return marks.filter((_, other) => other !== index);
}

/** With the beat `index` muted, or unmuted; as `remove`. @returns {Marks} */
export function mute(marks, index) {
  if (!marks[index].muted && danced(marks) <= FEWEST) return marks;
  return replaced(marks, index, { muted: !marks[index].muted });
}

/** With a bar beginning at the beat `index`, or no longer. @returns {Marks} */
export function toggleDown(marks, index) {
  return replaced(marks, index, { down: !marks[index].down });
}

const replaced = (marks, index, change) =>
  marks.map((mark, other) => (other === index ? { ...mark, ...change } : mark));

/** With all beats later by `by` seconds. @returns {Marks} */
export function shift(marks, by) {
  return marks.map((mark) => ({ ...mark, time: rounded(mark.time + by) }));
}

/** Every other beat, those that keep more downbeats. @returns {Marks} */
export function halve(marks) {
  const halves = [0, 1].map((first) => marks.filter((_, index) => index % 2 === first));
  const downs = halves.map((half) => half.filter((mark) => mark.down).length);
  const kept = halves[downs[1] > downs[0] ? 1 : 0];
  return danced(kept) < FEWEST ? marks : kept;
}

/** One beat more halfway between any two. @returns {Marks} */
export function double(marks) {
  return marks.flatMap((mark, index) => {
    const next = marks[index + 1];
    if (!next || next.time - mark.time < 2 * GAP) return [mark];
    const confidence = (mark.confidence + next.confidence) / 2;
    return [mark, markAt((mark.time + next.time) / 2, mark.muted && next.muted, confidence)];
  });
}

/** Beats a bar: the usual distance of downbeats; 0 where there are fewer than two. */
export function meterOf(marks) {
  const downs = marks.flatMap((mark, index) => (mark.down ? [index] : []));
  const bars = downs.slice(1).map((index, count) => index - downs[count]);
  const often = (bar) => bars.filter((other) => other === bar).length;
  return bars.reduce((best, bar) => (often(bar) > often(best) ? bar : best), bars[0] ?? 0);
}

/** With bars of `meter` beats, one of which begins at the beat `first`. @returns {Marks} */
export function inBars(marks, meter, first) {
  return marks.map((mark, index) => ({ ...mark, down: (index - first) % meter === 0 }));
}

/** With the beat `index` on the nearest onset in reach. @returns {Marks} */
export function snap(marks, index, onsets, seconds) {
  const { time } = marks[index];
  const near = onsets.filter((onset) => Math.abs(onset - time) <= SNAP_REACH);
  if (!near.length) return marks;
  const best = near.reduce((one, other) =>
    Math.abs(other - time) < Math.abs(one - time) ? other : one,
  );
  return move(marks, index, best, seconds);
}

/** With every beat on its nearest onset in reach. @returns {Marks} */
export function snapAll(marks, onsets, seconds) {
  return marks.reduce((done, _, index) => snap(done, index, onsets, seconds), marks);
}

/**
 * Tempo and one beat's time from tapped times in seconds; null for fewer than four taps. The last
 * taps count, behind any pause of over two seconds.
 * @param {number[]} taps @returns {{bpm: number, beat: number} | null}
 */
export function tapped(taps) {
  let first = taps.length - 1;
  while (first > 0 && taps[first] - taps[first - 1] < 2 && taps[first] > taps[first - 1]) first--;
  const row = taps.slice(Math.max(first, taps.length - 16));
  if (row.length < 4) return null;
  const n = row.length;
  const middle = (n - 1) / 2;
  const mean = row.reduce((sum, time) => sum + time, 0) / n;
  const slope = row.reduce((sum, time, index) => sum + (index - middle) * (time - mean), 0);
  const period = slope / ((n * (n * n - 1)) / 12);
  return { bpm: 60 / period, beat: mean - middle * period };
}

/** Even beats at `bpm` over the song, one of them, and a bar's first, at `beat`. @returns {Marks} */
export function evenly(bpm, beat, seconds, meter = BAR) {
  const period = 60 / bpm;
  const marks = [];
  for (let count = Math.ceil(-beat / period); beat + count * period < seconds; count++)
    marks.push({ ...markAt(beat + count * period), down: count % meter === 0 });
  return marks;
}

/** Seconds of the beats that the node makes of the marks by its `edit` and `shift`. */
export function result(marks, edit, by) {
  const heard = marks.filter((mark) => !mark.muted);
  let times = heard.map((mark) => mark.time);
  if (edit === "halve" && times.length >= 4) times = halve(heard).map((mark) => mark.time);
  if (edit === "double") times = double(heard).map((mark) => mark.time);
  return times.map((time) => rounded(time + by));
}
