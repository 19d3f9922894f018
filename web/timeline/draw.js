/** Drawings of the timeline and of its overview: functions of a scene. */
import { line } from "../shared/draw.js";
import { clock, toX, whole } from "./view.js";

/** Heights in pixels: handles of the beats above, the ruler below. */
const HANDLES = 16;
const RULER = 16;
/** Seconds of one segment of the dance. */
const SEGMENT = 4;
/** Pixels that a time on the ruler takes. */
const LABEL = 48;
/** Pixels that a beat's handle takes: where there is less room, only bars have handles. */
const HANDLE = 9;
const STEPS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300];

/** Opacity of a beat of which the tracker is not certain at all. */
const PALEST = 0.3;
/** Opacity of the timeline's beats where the dance gets others. */
const BEHIND = 0.35;
/** Opacity of the sound, and of what veils the rest of the song in the overview. */
const SOUND = 0.4;
const VEIL = 0.65;

/**
 * @typedef {{marks: import("./state.js").Marks, selected: number, view: import("./view.js").View,
 *   seconds: number, peaks: number[], onsets: number[], position: number, start: number,
 *   result: number[] | null}} Scene
 *   `start` is where in the song the dance begins; `result` the beats that the node's own widgets
 *   make of the marks, null where they leave them as they are.
 */

/**
 * @param {CanvasRenderingContext2D} context in CSS pixels
 * @param {{width: number, height: number}} size
 * @param {Scene} scene
 * @param {Record<string, string>} colour
 */
export function draw(context, { width, height }, scene, colour) {
  const { view } = scene;
  const x = (time) => toX(view, time, width);
  const seen = (time) => time >= view.from - 0.1 && time <= view.to + 0.1;
  const bottom = height - RULER;
  context.fillStyle = colour.paper;
  context.fillRect(0, 0, width, height);
  if (!scene.seconds && !scene.marks.length) return;
  context.font = "10px sans-serif";
  drawSound(context, width, [HANDLES, bottom], scene, colour.ink);
  drawOnsets(context, scene.onsets.filter(seen).map(x), bottom, colour.faint);
  drawRuler(context, view, width, height, colour);
  drawCuts(context, scene, x, bottom, colour.faint);
  const crowded = scene.marks.filter((mark) => seen(mark.time)).length * HANDLE > width;
  scene.marks.forEach((mark, index) => {
    if (!seen(mark.time)) return;
    const chosen = index === scene.selected;
    const sure = PALEST + (1 - PALEST) * mark.confidence;
    context.globalAlpha = chosen ? 1 : sure * (scene.result ? BEHIND : 1);
    drawLine(context, x(mark.time), bottom, mark, chosen, colour);
    if (mark.down || chosen || !crowded) drawHandle(context, x(mark.time), mark, chosen, colour);
    context.globalAlpha = 1;
  });
  if (scene.result) drawResult(context, scene.result.filter(seen).map(x), bottom, colour.result);
  upright(context, x(scene.position), 0, bottom, colour.playhead, 2);
}

/**
 * The whole song in little, with a frame around the part that is seen.
 * @param {CanvasRenderingContext2D} context @param {{width: number, height: number}} size
 * @param {Scene} scene @param {Record<string, string>} colour
 */
export function drawOverview(context, { width, height }, scene, colour) {
  context.fillStyle = colour.paper;
  context.fillRect(0, 0, width, height);
  const { seconds, view } = scene;
  if (!seconds) return;
  const all = whole(seconds);
  drawSound(context, width, [0, height], { ...scene, view: all }, colour.ink);
  const [from, to] = [view.from, view.to].map((time) => toX(all, time, width));
  context.save();
  context.globalAlpha = VEIL;
  context.fillStyle = colour.paper;
  context.fillRect(0, 0, from, height);
  context.fillRect(to, 0, width - to, height);
  context.restore();
  context.strokeStyle = colour.ink;
  context.lineWidth = 1.5;
  context.strokeRect(from + 0.75, 0.75, Math.max(2, to - from - 1.5), height - 1.5);
  upright(context, toX(all, scene.position, width), 0, height, colour.playhead, 2);
}

/** The largest amplitude of every pixel, between `top` and `bottom`. */
function drawSound(context, width, [top, bottom], { peaks, view, seconds }, colour) {
  const middle = (top + bottom) / 2;
  const reach = (bottom - top) / 2;
  const at = (pixel) =>
    ((view.from + (pixel / width) * (view.to - view.from)) / seconds) * peaks.length;
  context.save();
  context.globalAlpha = SOUND;
  context.fillStyle = colour;
  for (let left = 0; left < width && peaks.length; left++) {
    const first = Math.floor(at(left));
    const part = peaks.slice(first, Math.max(first + 1, Math.floor(at(left + 1))));
    const peak = Math.max(0, ...part) * reach;
    context.fillRect(left, middle - peak, 1, Math.max(1, 2 * peak));
  }
  context.restore();
}

function drawOnsets(context, places, bottom, colour) {
  context.fillStyle = colour;
  for (const place of places) context.fillRect(place - 0.5, bottom - 5, 1, 5);
}

function drawRuler(context, view, width, height, colour) {
  const room = width / (view.to - view.from);
  const step = STEPS.find((seconds) => seconds * room >= LABEL) ?? 600;
  context.fillStyle = colour.ink;
  const digits = step < 1 ? (step === 0.25 ? 2 : 1) : 0;
  for (let count = Math.ceil(view.from / step); count * step <= view.to; count++) {
    const place = toX(view, count * step, width);
    context.fillRect(place, height - RULER, 1, 4);
    context.fillText(clock(count * step, digits), place + 3, height - 4);
  }
}

function drawCuts(context, { start, seconds, view }, x, bottom, colour) {
  context.save();
  context.setLineDash([4, 3]);
  for (let cut = start; cut < seconds; cut += SEGMENT)
    if (cut >= view.from && cut <= view.to) upright(context, x(cut), 0, bottom, colour, 1);
  context.restore();
}

/** A beat's line, bolder where a bar begins, dashed if muted. */
function drawLine(context, place, bottom, { down, muted }, selected, colour) {
  context.save();
  if (muted) context.setLineDash([2, 4]);
  const shade = down ? colour.down : colour.beat;
  upright(context, place, HANDLES, bottom, shade, selected ? 3 : down ? 2 : 1);
  context.restore();
}

/** A beat's handle: a disc, or a triangle where a bar begins; hollow if muted. */
function drawHandle(context, place, { down, muted }, selected, colour) {
  const shade = down ? colour.down : colour.beat;
  context.beginPath();
  const half = selected ? 6 : 4.5;
  if (down) {
    context.moveTo(place - half, HANDLES - 2 * half);
    context.lineTo(place + half, HANDLES - 2 * half);
    context.lineTo(place, HANDLES);
    context.closePath();
  } else context.arc(place, HANDLES - half, half, 0, 2 * Math.PI);
  context.fillStyle = muted ? colour.paper : shade;
  context.fill();
  context.strokeStyle = selected ? colour.ink : shade;
  context.lineWidth = selected ? 2 : 1.5;
  context.stroke();
}

/** Lines with triangles above the ruler: the beats that the dance gets. */
function drawResult(context, places, bottom, colour) {
  context.fillStyle = colour;
  for (const place of places) {
    upright(context, place, HANDLES, bottom, colour, 1.5);
    context.beginPath();
    context.moveTo(place - 4, bottom);
    context.lineTo(place + 4, bottom);
    context.lineTo(place, bottom - 7);
    context.fill();
  }
}

const upright = (context, place, top, bottom, colour, width) =>
  line(context, place, top, place, bottom, colour, width);
