/** The picture of the timeline, on a canvas that only records. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { draw, drawOverview } from "../../web/timeline/draw.js";
import { marksOf } from "../../web/timeline/state.js";
import { whole } from "../../web/timeline/view.js";

const COLOUR = Object.fromEntries(
  ["paper", "ink", "faint", "beat", "down", "result", "playhead"].map((name) => [name, name]),
);

/** Opacities of the lines and handles of beats, by the colour of their strokes. */
function opacities(marks, selected = -1, result = null) {
  const strokes = [];
  const kept = [];
  const state = { globalAlpha: 1 };
  const calls = {
    save: () => kept.push(state.globalAlpha),
    restore: () => (state.globalAlpha = kept.pop()),
    stroke: () => strokes.push([state.strokeStyle, state.globalAlpha]),
  };
  const get = (_, name) => (name in state ? state[name] : (calls[name] ?? (() => {})));
  const scene = { marks, selected, view: whole(4), seconds: 4, peaks: [], onsets: [] };
  const rest = { position: 0, start: 0, result };
  draw(new Proxy(state, { get }), { width: 400, height: 100 }, { ...scene, ...rest }, COLOUR);
  assert.equal(state.globalAlpha, 1);
  return strokes;
}

const of = (strokes, colour) =>
  strokes.filter(([name]) => name === colour).map(([, alpha]) => alpha);

test("a beat is the paler the less certain the tracker is", () => {
  const strokes = opacities(marksOf([1, 2, 3], [1], [], [0.5, 0, 1]));
  const [line] = of(strokes, "down");
  const [doubtful, , certain] = of(strokes, "beat");
  assert.ok(0 < doubtful && doubtful < line && line < certain && certain === 1);
  assert.ok(of(strokes, "faint").every((alpha) => alpha === 1));
});

test("the selected beat is never pale", () => {
  const strokes = opacities(marksOf([1, 2], [], [], [0, 0]), 1);
  assert.deepEqual(of(strokes, "beat").map((alpha) => alpha === 1), [false, false, true]);
  assert.deepEqual(of(strokes, "ink"), [1]);
});

test("beats that the dance gets stand before the timeline's", () => {
  const marks = marksOf([1, 2, 3]);
  const strokes = opacities(marks, -1, [1, 3]);
  assert.deepEqual(of(strokes, "result"), [1, 1]);
  assert.equal(of(strokes, "beat").length, 6);
  assert.ok(of(strokes, "beat").every((alpha) => alpha < 0.5));
});

test("the overview frames the part that is seen", () => {
  const frames = [];
  const strokeRect = (left, _, width) => frames.push([left, left + width]);
  const get = (state, name) => state[name] ?? (name === "strokeRect" ? strokeRect : () => {});
  const scene = { seconds: 100, view: { from: 20, to: 50 }, peaks: [0, 1], position: 0 };
  drawOverview(new Proxy({}, { get }), { width: 200, height: 20 }, scene, COLOUR);
  const [[from, to]] = frames;
  assert.ok(Math.abs(from - 40) < 2 && Math.abs(to - 100) < 2);
});
