/** What is done to a timeline, said, and kept. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { commandFor } from "../../web/shared/commands.js";
import { GROUPS } from "../../web/timeline/commands.js";
import { Editor } from "../../web/timeline/editor.js";
import { packed, unpacked } from "../../web/timeline/remember.js";

const SEEN = {
  heard: true,
  seconds: 4,
  peaks: [0, 0.5, 1],
  onsets: [0.48, 2.05],
  beats: [0, 0.5, 1, 1.5, 2],
  downbeats: [0, 2],
};

function opened() {
  const said = [];
  const written = [];
  const editor = new Editor({
    write: (text) => written.push(text),
    say: (sentence) => said.push(sentence),
    draw: () => {},
  });
  editor.see(SEEN);
  return { editor, said, written };
}

const times = (editor) => editor.marks.map((mark) => mark.time);

test("heard beats are shown and nothing is written", () => {
  const { editor, written } = opened();
  assert.deepEqual(times(editor), SEEN.beats);
  assert.ok(!editor.edited);
  assert.deepEqual(written, []);
});

test("an edit writes the text that loads as it was, and undoing it writes an empty one", () => {
  const { editor, written } = opened();
  editor.select(1);
  editor.nudge(0.01);
  assert.deepEqual(JSON.parse(written[0]).beats, [0, 0.51, 1, 1.5, 2]);
  const other = opened().editor;
  other.load(written[0]);
  assert.deepEqual(other.marks, editor.marks);
  editor.undo();
  assert.equal(written[1], "");
  editor.redo();
  assert.equal(written[2], written[0]);
});

test("a run with edited beats does not pass for what is heard", () => {
  const { editor, said } = opened();
  editor.shift(0.1);
  editor.see({ ...SEEN, heard: false, beats: [0.1, 0.6], downbeats: [0.1] });
  editor.reset();
  assert.deepEqual(times(editor), SEEN.beats);
  editor.undo();
  editor.see({ ...SEEN, heard: false, seconds: 9 });
  assert.match(said.at(-1), /song of 0:04; this one has 0:09/);
  editor.reset();
  assert.deepEqual(times(editor), []);
  assert.match(said.at(-1), /will be heard/);
});

test("what was seen survives being kept small", () => {
  const { editor } = opened();
  const kept = packed(editor.remembered());
  assert.equal(typeof kept.peaks, "string");
  const other = opened().editor;
  other.see(unpacked(JSON.parse(JSON.stringify(kept))));
  assert.deepEqual(other.heard, editor.heard);
  assert.ok(other.peaks.every((peak, at) => Math.abs(peak - SEEN.peaks[at]) < 0.003));
});

test("the selected beat stays selected where beats come and go", () => {
  const { editor } = opened();
  editor.select(2);
  editor.double();
  assert.equal(editor.marks[editor.selected].time, 1);
  editor.undo();
  assert.equal(editor.marks[editor.selected].time, 1);
});

test("a beat is added between where the playhead is on one", () => {
  const { editor, said } = opened();
  editor.add(0.5);
  assert.deepEqual(times(editor), [0, 0.5, 0.75, 1, 1.5, 2]);
  assert.equal(editor.describe(editor.selected), "Beat 3 of 6, 0.75 seconds");
  editor.add(9);
  assert.match(said.at(-1), /no such place/);
});

test("where the text comes from elsewhere nothing is edited", () => {
  const { editor, said, written } = opened();
  editor.locked = "Edit it there.";
  editor.select(1);
  for (const work of ["mute", "remove", "halve", "double", "reset", "undo"]) editor[work]();
  assert.deepEqual(written, []);
  assert.ok(said.every((sentence) => sentence === "Edit it there."));
});

test("what cannot be done is said and changes nothing", () => {
  const { editor, said, written } = opened();
  editor.mute();
  assert.match(said.at(-1), /Select a beat first/);
  editor.select(2);
  editor.snap();
  assert.match(said.at(-1), /No sound/);
  editor.undo();
  assert.match(said.at(-1), /Nothing to undo/);
  editor.load("often");
  assert.match(said.at(-1), /not JSON/);
  editor.load("[0, 1, 2]");
  assert.equal(said.at(-1), "");
  assert.deepEqual(written, []);
});

const downs = (editor) => editor.marks.filter((mark) => mark.down).map((mark) => mark.time);

test("bars are changed from the selected beat on, and tapped beats keep them", () => {
  const { editor, said, written } = opened();
  assert.equal(editor.meter, 4);
  editor.select(1);
  editor.changeMeter(-1);
  assert.deepEqual(downs(editor), [0.5, 2]);
  assert.equal(said.at(-1), "Bars of 3 beats.");
  assert.match(editor.summary(), /5 beats, 120.0 BPM, 3 a bar, edited/);
  assert.deepEqual(JSON.parse(written.at(-1)).downbeats, [0.5, 2]);
  for (const time of [10, 10.25, 10.5, 10.75, 11]) editor.tap(time);
  editor.lay();
  assert.equal(editor.meter, 3);
  editor.select(4);
  editor.layBars();
  assert.ok(editor.marks[4].down && editor.marks[7].down && !editor.marks[5].down);
  for (let count = 0; count < 3; count++) editor.changeMeter(-1);
  assert.match(said.at(-1), /2 to 12 beats/);
  assert.equal(editor.meter, 2);
  for (let count = 0; count < 12; count++) editor.changeMeter(1);
  assert.match(said.at(-1), /2 to 12 beats/);
});

test("a meter is chosen before any beat is known", () => {
  const said = [];
  const editor = new Editor({ write() {}, draw() {}, say: (sentence) => said.push(sentence) });
  editor.changeMeter(-1);
  assert.equal(said.at(-1), "Bars of 3 beats.");
  editor.seconds = 8;
  for (const time of [0, 0.5, 1, 1.5]) editor.tap(time);
  editor.lay();
  assert.deepEqual(downs(editor), [0, 1.5, 3, 4.5, 6, 7.5]);
});

test("doubt is read out, kept, and none where no beat was found", () => {
  const { editor } = opened();
  const confidence = [1, 0.4, 1, 1, 1];
  editor.see({ ...SEEN, confidence });
  assert.equal(editor.describe(1), "Beat 2 of 5, 0.50 seconds, 40 % certain");
  assert.equal(editor.describe(2), "Beat 3 of 5, 1.00 seconds");
  const other = opened().editor;
  other.see(unpacked(packed(editor.remembered())));
  assert.deepEqual(other.heard, editor.heard);
  editor.see({ ...SEEN, assumed: true });
  assert.equal(editor.summary(), "No beat was found: 5 even beats, 120.0 BPM");
  other.see(unpacked(packed(editor.remembered())));
  assert.equal(other.summary(), editor.summary());
  editor.shift(0.1);
  assert.match(editor.summary(), /edited/);
});

test("keys mean commands", () => {
  const title = (key, more = {}) => commandFor(GROUPS, { key, ...more })?.title;
  assert.equal(title(" "), "Play or pause the song");
  assert.equal(title("m"), "Mute or unmute the selected beat");
  assert.equal(title("S", { shiftKey: true }), "Move all beats onto their nearest sounds");
  assert.equal(title("+", { shiftKey: true }), "Zoom in");
  assert.equal(title("Z", { ctrlKey: true, shiftKey: true }), "Redo");
  assert.equal(title("z", { metaKey: true }), "Undo");
  assert.equal(title("m", { ctrlKey: true }), undefined);
  assert.equal(title("m", { altKey: true }), undefined);
});
