/** Sentences on the node's own settings beside the timeline. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { changeNote, changes } from "../../web/timeline/notes.js";
import { marksOf, result } from "../../web/timeline/state.js";

const note = (edit, shift, marks = marksOf([1, 2, 3, 4])) =>
  changeNote(marks, { edit, shift }, result(marks, edit, shift));

test("settings that change nothing need no sentence", () => {
  assert.equal(note("as heard", 0), "");
  assert.ok(!changes({ edit: "as heard", shift: 0 }));
});

test("the sentence tells what the dance gets, and by which setting", () => {
  assert.equal(note("halve", 0), "The dance gets 2 of these 4 beats: edit is set to halve.");
  assert.match(note("double", 0), /gets 7 beats instead of these 4: edit is set to double/);
  assert.match(note("as heard", -0.1), /0.10 s earlier: shift is set/);
  assert.match(note("halve", 0.25), /edit is set to halve.*0.25 s later/);
});

test("muted beats are not counted", () => {
  const marks = marksOf([1, 2, 3, 4], [], [5]);
  assert.match(note("halve", 0, marks), /2 of these 4 beats/);
});
