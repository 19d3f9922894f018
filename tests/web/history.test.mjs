/** Undo and redo. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { begin, commit, redo, undo } from "../../web/shared/history.js";

const value = (count) => ({ count });

test("undo goes back to nothing edited, redo forth again, and an edit forgets the future", () => {
  let history = commit(commit(begin(null), value(3)), value(4));
  history = undo(undo(history));
  assert.equal(history.now, null);
  assert.equal(undo(history).now, null);
  history = redo(history);
  assert.deepEqual(history.now, value(3));
  history = commit(history, value(5));
  assert.deepEqual(redo(history).now, value(5));
  assert.equal(history.past.length, 2);
});

test("only so many steps are kept", () => {
  let history = begin(null);
  for (let count = 0; count < 300; count++) history = commit(history, value(count));
  assert.equal(history.past.length, 200);
  assert.deepEqual(history.past[199], value(298));
});
