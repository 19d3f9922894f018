/** The timeline's model: `node --test tests/web/`. */
import assert from "node:assert/strict";
import { test } from "node:test";

import * as state from "../../web/timeline/state.js";
import * as view from "../../web/timeline/view.js";

const seconds = 10;
const even = (count = 8, period = 0.5) =>
  state.marksOf(
    Array.from({ length: count }, (_, index) => index * period),
    [0, 4 * period],
  );
const times = (marks) => marks.map((mark) => mark.time);

test("what is written is read back, and muted beats are no beats", () => {
  const marks = state.mute(state.mute(even(), 4), 1);
  const text = state.serialize({ marks, seconds });
  assert.deepEqual(state.parse(text), { marks, seconds });
  const data = JSON.parse(text);
  assert.deepEqual(data.muted, [0.5, 2]);
  assert.equal(data.beats.length, 6);
  assert.deepEqual(data.downbeats, [0, 2]);
  assert.equal(data.seconds, seconds);
});

test("an empty text is no edit, a bare list is beats, anything else says what is wrong", () => {
  assert.equal(state.parse("  "), null);
  assert.equal(state.serialize(null), "");
  const bare = state.parse("[0, 0.5, 1, 1.5, 2]").marks;
  assert.deepEqual(times(bare.filter((mark) => mark.down)), [0, 2]);
  assert.throws(() => state.parse("often"), /not JSON/);
  assert.throws(() => state.parse('{"beats": "all"}'), /no list "beats"/);
  assert.throws(() => state.parse('{"beats": [0, 1], "muted": [null]}'), /lists of seconds/);
});

test("no function changes the marks it was given", () => {
  const marks = Object.freeze(even().map(Object.freeze));
  state.add(marks, 0.3);
  state.move(marks, 1, 0.6, seconds);
  state.remove(marks, 1);
  state.mute(marks, 1);
  state.shift(marks, 0.1);
  state.halve(marks);
  state.double(marks);
  state.snapAll(marks, [0.52], seconds);
  assert.deepEqual(marks, even());
});

test("a beat is added in its place, and not where one is", () => {
  assert.deepEqual(times(state.add(even(3), 0.7)), [0, 0.5, 0.7, 1]);
  assert.deepEqual(state.add(even(3), 0.51), even(3));
});

test("a beat that is moved stays between its neighbours and in the song", () => {
  assert.equal(state.move(even(3), 1, 0.8, seconds)[1].time, 0.8);
  assert.equal(state.move(even(3), 1, 5, seconds)[1].time, 1 - state.GAP);
  assert.equal(state.move(even(3), 1, -5, seconds)[1].time, state.GAP);
  assert.equal(state.move(even(3), 0, -5, seconds)[0].time, 0);
  assert.equal(state.move(even(3), 2, 50, seconds)[2].time, seconds);
});

test("two beats remain, whatever is removed or muted", () => {
  const two = even(2);
  assert.equal(state.remove(two, 0), two);
  assert.equal(state.mute(two, 1), two);
  const withMuted = state.mute(even(3), 1);
  assert.deepEqual(times(state.remove(withMuted, 1)), [0, 1]);
  assert.deepEqual(state.mute(withMuted, 1), even(3));
  assert.equal(state.halve(two), two);
});

test("halving keeps the downbeats, doubling adds the middles", () => {
  const offbeat = state.toggleDown(state.toggleDown(state.toggleDown(even(5), 0), 4), 1);
  assert.deepEqual(times(state.halve(offbeat)), [0.5, 1.5]);
  assert.deepEqual(times(state.double(even(3))), [0, 0.25, 0.5, 0.75, 1]);
  assert.deepEqual(state.halve(state.double(even())), even());
});

test("shifting moves everything and back again", () => {
  assert.deepEqual(state.shift(state.shift(even(), 0.13), -0.13), even());
});

test("a beat snaps to the nearest onset in reach only", () => {
  const onsets = [0.04, 0.53, 0.45, 1.3];
  assert.equal(state.snap(even(3), 1, onsets, seconds)[1].time, 0.53);
  assert.equal(state.snap(even(3), 2, onsets, seconds)[2].time, 1);
  assert.deepEqual(times(state.snapAll(even(3), onsets, seconds)), [0.04, 0.53, 1]);
});

test("the tempo is that of the usual interval", () => {
  assert.equal(state.tempo(even()), 120);
  assert.equal(state.tempo(state.mute(even(), 3)), 120);
  assert.equal(state.tempo(state.marksOf([0, 0.5, 1, 1.75, 2.5])), 96);
  assert.equal(state.tempo([]), 0);
});

test("taps give tempo and phase, and only the last row of them counts", () => {
  assert.equal(state.tapped([1, 1.5, 2]), null);
  const found = state.tapped([0.1, 0.2, 0.3, 5, 5.49, 6.01, 6.5, 7]);
  assert.ok(Math.abs(found.bpm - 120) < 1.5);
  assert.ok(Math.abs(found.beat - 5) < 0.02);
  const marks = state.evenly(120, 5.2, seconds);
  assert.equal(marks[0].time, 0.2);
  assert.equal(marks.length, 20);
  assert.ok(marks[state.nearest(marks, 5.2)].down);
});

test("bars have any number of beats, and their usual length is known", () => {
  for (const meter of [2, 3, 4, 7, 12]) {
    const marks = state.inBars(even(30), meter, 5);
    assert.equal(state.meterOf(marks), meter);
    assert.ok(marks.every((mark, index) => mark.down === ((index - 5) % meter === 0)));
    assert.deepEqual(times(marks), times(even(30)));
    const read = state.parse(state.serialize({ marks, seconds })).marks;
    assert.deepEqual(read, marks);
  }
  assert.equal(state.meterOf(even(3)), 0);
  const odd = state.toggleDown(state.inBars(even(30), 3, 0), 9);
  assert.equal(state.meterOf(odd), 3);
});

test("tapped beats have bars of the meter, and a bar begins at the tapped beat", () => {
  const marks = state.evenly(120, 5.2, seconds, 3);
  assert.equal(state.meterOf(marks), 3);
  assert.ok(marks[state.nearest(marks, 5.2)].down);
  const bare = state.parse("[0, 1, 2, 3, 4, 5, 6]", 3).marks;
  assert.deepEqual(times(bare.filter((mark) => mark.down)), [0, 3, 6]);
});

test("the tracker's confidence is kept, and a beat that a person sets is certain", () => {
  const doubted = state.marksOf([0, 0.5, 1], [0], [1.5], [0.9, 0.2, 0.4]);
  const shares = (marks) => marks.map((mark) => mark.confidence);
  assert.deepEqual(shares(doubted), [0.9, 0.2, 0.4, 1]);
  assert.deepEqual(shares(state.move(doubted, 1, 0.6, seconds)), [0.9, 1, 0.4, 1]);
  assert.deepEqual(shares(state.add(doubted, 0.7)), [0.9, 0.2, 1, 0.4, 1]);
  assert.deepEqual(shares(state.shift(doubted, 0.1)), [0.9, 0.2, 0.4, 1]);
  assert.deepEqual(shares(state.double(doubted)).slice(0, 2), [0.9, 0.55]);
  const text = state.serialize({ marks: doubted, seconds });
  assert.deepEqual(JSON.parse(text).confidence, [0.9, 0.2, 0.4]);
  assert.deepEqual(state.parse(text).marks, doubted);
  assert.ok(!("confidence" in JSON.parse(state.serialize({ marks: even(), seconds }))));
  assert.throws(() => state.parse('{"beats": [0, 1], "confidence": [1]}'), /number for each beat/);
});

test("the result is what the node's own widgets make of the beats", () => {
  const marks = state.mute(even(6), 1);
  assert.deepEqual(state.result(marks, "as heard", 0.1), [0.1, 1.1, 1.6, 2.1, 2.6]);
  assert.deepEqual(state.result(marks, "halve", 0), [0, 1.5, 2.5]);
  const offbeat = even(6).map((mark, index) => ({ ...mark, down: index % 4 === 1 }));
  assert.deepEqual(state.result(offbeat, "halve", 0), [0.5, 1.5, 2.5]);
  assert.deepEqual(state.result(even(2), "double", 0), [0, 0.25, 0.5]);
});

test("the view keeps what is under the pointer and stays within the song", () => {
  const all = view.whole(seconds);
  const near = view.zoom(all, 4, 2, seconds);
  assert.ok(Math.abs(view.toX(near, 2, 100) - 20) < 1e-9);
  assert.equal(near.to - near.from, 2.5);
  assert.deepEqual(view.zoom(near, 0.01, 2, seconds), all);
  assert.deepEqual(view.scroll(near, -99, seconds).from, 0);
  assert.equal(view.scroll(near, 99, seconds).to, seconds);
  const shown = view.showing(near, 8, seconds);
  assert.ok(shown.from <= 8 && shown.to >= 8);
  assert.equal(view.clock(62.349), "1:02.35");
  assert.equal(view.clock(59.999), "1:00.00");
  assert.equal(view.clock(8, 0), "0:08");
});

test("a long song opens at its beginning, a short one as a whole", () => {
  assert.deepEqual(view.opening(25), { from: 0, to: 25 });
  const long = view.opening(180);
  assert.ok(long.from === 0 && long.to >= 15 && long.to < 60);
  assert.deepEqual(view.centred(long, 90, 180), { from: 90 - long.to / 2, to: 90 + long.to / 2 });
  assert.equal(view.centred(long, 179, 180).to, 180);
});
