/** Rigs as they are edited, without any page. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, test } from "node:test";

import { commandFor } from "../../web/shared/commands.js";
import { speak } from "../../web/shared/words.js";
import { GROUPS } from "../../web/rig/commands.js";
import { RigModel } from "../../web/rig/editor.js";
import { JOINTS, LIMBS, otherSide, PARENTS, STANDING } from "../../web/rig/skeleton.js";
import * as state from "../../web/rig/state.js";
import * as view from "../../web/rig/view.js";

const SIZE = [200, 400];
const STAGE = { width: 300, height: 200 };

/** A standing figure in the middle of the picture. */
function standing(absent = []) {
  const joints = JOINTS.map((name) => {
    const [x, y] = STANDING[name];
    return [name, absent.includes(name) ? null : [100 + 360 * x, 380 - 360 * y]];
  });
  return { size: SIZE, joints: Object.fromEntries(joints), confidence: { neck: 0.5 } };
}

const close = (one, other) => one.every((number, axis) => Math.abs(number - other[axis]) < 0.02);

function opened(rig = standing()) {
  const said = [];
  const written = [];
  const model = new RigModel({
    write: (text) => written.push(text),
    say: (sentence) => said.push(sentence),
    draw: () => {},
  });
  model.look("input//kid.png", SIZE);
  if (rig) model.see(rig);
  return { model, said, written };
}

afterEach(() => speak("en"));

test("the skeleton is that of the Python package", () => {
  const source = readFileSync(
    new URL("../../musedance_core/dance/skeleton.py", import.meta.url),
    "utf8",
  );
  const [, joints] = /JOINTS = \(([^]*?)\n\)/.exec(source);
  assert.deepEqual(joints.match(/"\w+"/g).map((name) => name.slice(1, -1)), JOINTS);
  const [, parents] = /PARENTS = \((.*)\)/.exec(source);
  assert.deepEqual(
    parents.split(", ").map((index) => JOINTS[Number(index)] ?? null),
    JOINTS.map((name) => PARENTS[name]),
  );
  const [, places] = /STANDING = torch.tensor\(([^]*?)\n\)/.exec(source);
  assert.deepEqual(places.match(/[\d.-]+/g).map(Number), JOINTS.flatMap((name) => STANDING[name]));
  for (const name of JOINTS) assert.equal(otherSide(otherSide(name)), name);
});

test("a rig is written as the command line writes it, and read again", () => {
  const rig = standing(["left_wrist"]);
  const text = state.serialize(rig);
  assert.deepEqual(Object.keys(JSON.parse(text)), ["size", "joints"]);
  assert.equal(JSON.parse(text).joints.left_wrist, null);
  assert.ok(state.same(state.parse(text), rig));
  assert.equal(state.parse(" "), null);
  const partial = state.parse('{"size": [2, 2], "joints": {"neck": [1, 1]}}');
  assert.deepEqual(state.present(partial), ["neck"]);
});

test("a wrong text gives one sentence", () => {
  assert.throws(() => state.parse("often"), /not JSON/);
  assert.throws(() => state.parse('{"joints": {}}'), /no size/);
  assert.throws(() => state.parse('{"size": [0, 2], "joints": {}}'), /no size/);
  assert.throws(() => state.parse('{"size": [2, 2]}'), /no joints/);
  assert.throws(() => state.parse('{"size": [2, 2], "joints": {"tail": null}}'), /joint: tail/);
  assert.throws(() => state.parse('{"size": [2, 2], "joints": {"neck": [1]}}'), /joint neck/);
});

test("a joint moves alone or with what hangs on it, and stays in the picture", () => {
  const rig = standing();
  const alone = state.move(rig, "right_elbow", [-5, 5]);
  assert.ok(close(alone.joints.right_wrist, rig.joints.right_wrist));
  const all = state.move(rig, "right_elbow", [-5, 5], true);
  const [x, y] = rig.joints.right_wrist;
  assert.ok(close(all.joints.right_wrist, [x - 5, y + 5]));
  assert.ok(close(all.joints.right_shoulder, rig.joints.right_shoulder));
  assert.deepEqual(state.move(rig, "pelvis", [-999, 999]).joints.pelvis, [0, 400]);
});

test("limbs are removed from a joint outwards, and added from the trunk to a joint", () => {
  const removed = state.remove(standing(), "left_knee");
  assert.deepEqual(
    JOINTS.filter((name) => !removed.joints[name]),
    ["left_knee", "left_ankle"],
  );
  assert.ok(state.same(state.remove(standing(), "chest"), standing()));
  const bare = LIMBS.left_leg.reduce((rig, joint) => state.remove(rig, joint), standing());
  const added = state.add(bare, "left_knee");
  assert.ok(added.joints.left_hip && added.joints.left_knee && !added.joints.left_ankle);
  // A standing figure is its own mirror image.
  assert.ok(close(added.joints.left_knee, standing().joints.left_knee));
});

test("without the other side an absent limb hangs down as from a standing body", () => {
  const none = [...LIMBS.left_arm, ...LIMBS.right_arm];
  const places = state.ghosts(standing(none));
  assert.deepEqual(Object.keys(places).sort(), [...none].sort());
  for (const name of none) assert.ok(close(places[name], standing().joints[name]), name);
  const all = state.ghosts(standing(JOINTS));
  for (const [x, y] of Object.values(all))
    assert.ok(0 <= x && x <= SIZE[0] && 0 <= y && y <= SIZE[1]);
  assert.ok(all.head_top[1] < all.pelvis[1] && all.pelvis[1] < all.left_ankle[1]);
  const low = state.move(standing([...LIMBS.left_leg, ...LIMBS.right_leg]), "pelvis", [0, 120]);
  const legs = state.ghosts(low);
  assert.ok(legs.left_knee[1] < legs.left_ankle[1] - 5 && legs.left_ankle[1] <= SIZE[1]);
});

test("a limb is mirrored at the trunk, twice as it was, and sides are exchanged", () => {
  const rig = state.move(standing(), "right_wrist", [-20, -100]);
  const mirrored = state.mirror(rig, "right_elbow");
  const [x, y] = rig.joints.right_wrist;
  assert.ok(close(mirrored.joints.left_wrist, [200 - x, y]));
  assert.ok(state.same(state.mirror(mirrored, "left_wrist"), mirrored));
  const shorter = state.mirror(state.remove(rig, "right_wrist"), "right_elbow");
  assert.equal(shorter.joints.left_wrist, null);
  const swapped = state.swap(rig);
  assert.deepEqual(swapped.joints.left_wrist, state.swap(state.swap(rig)).joints.right_wrist);
  assert.ok(state.same(state.swap(swapped), rig));
});

test("the nearest joint in reach is grasped", () => {
  const { joints } = standing();
  assert.equal(state.nearest(joints, [joints.neck[0] + 3, joints.neck[1]], 5), "neck");
  assert.equal(state.nearest(joints, [0, 0], 5), null);
  assert.equal(state.nearest({ neck: null }, [0, 0], 1e9), null);
});

test("the view keeps what is under the pointer, and the picture in sight", () => {
  const at = [50, 300];
  const before = view.toStage(view.WHOLE, SIZE, STAGE, at);
  const near = view.zoom(view.WHOLE, 1.3, SIZE, at);
  assert.ok(close(view.toPicture(view.WHOLE, SIZE, STAGE, before), at));
  assert.ok(near.zoom === 1.3 && close(view.toStage(near, SIZE, STAGE, at), before));
  assert.deepEqual(view.zoom(near, 0.1, SIZE, at), view.WHOLE);
  assert.deepEqual(view.pan(view.WHOLE, 0.3, 0.3), view.WHOLE);
  const far = view.pan(view.zoom(view.WHOLE, 4, SIZE, at), 9, 9);
  assert.deepEqual(far, { zoom: 4, x: 0.875, y: 0.875 });
  const [x, y] = view.toStage(view.showing(far, SIZE, STAGE, [10, 10]), SIZE, STAGE, [10, 10]);
  assert.ok(x >= 0 && y >= 0 && x <= STAGE.width && y <= STAGE.height);
});

test("found joints are shown, an edit is written, and resetting it writes nothing", () => {
  const { model, said, written } = opened(standing(["left_wrist"]));
  assert.equal(model.summary(), "15 of 16 joints found");
  assert.equal(model.confidence("neck"), 0.5);
  model.select("right_wrist");
  model.nudge(1, 0);
  assert.equal(written.length, 1);
  assert.equal(model.confidence("neck"), 1);
  assert.match(said.at(-1), /^Right wrist at/);
  assert.match(model.summary(), /edited/);
  model.reset();
  assert.equal(written.at(-1), "");
  assert.equal(said.at(-1), "The joints are as found.");
  model.undo();
  assert.equal(written.at(-1), written[0]);
});

test("a run with edits does not pass for what is found", () => {
  const { model, said } = opened();
  model.select("right_wrist");
  model.nudge(10, 0);
  model.see(state.scaled(model.rig, [400, 800]));
  model.reset();
  assert.ok(state.same(model.rig, standing()));
  const other = opened(null);
  other.model.load(state.serialize(standing()));
  other.model.see(standing());
  other.model.reset();
  assert.equal(other.model.rig, null);
  assert.match(other.said.at(-1), /will be found when the node runs/);
  assert.equal(said.includes("Nothing to change."), false);
});

test("edits of another picture are told and not used, until they are fitted or reset", () => {
  const { model, said, written } = opened();
  model.select("neck");
  model.nudge(1, 0);
  const before = written.length;
  model.look("input//other.png", [300, 300]);
  assert.equal(model.rig, null);
  assert.equal(
    model.summary(),
    "The edits are of another picture: 200 x 400 pixels, not 300 x 300.",
  );
  for (const work of ["mirror", "swap", "remove", "add"]) model[work]();
  assert.equal(written.length, before);
  assert.match(said.at(-1), /^Fit the edits/);
  model.fit();
  assert.deepEqual(JSON.parse(written.at(-1)).size, [300, 300]);
  assert.ok(model.rig && !model.foreign);
  model.undo();
  model.reset();
  assert.equal(written.at(-1), "");
});

test("edits for the picture at another size are scaled, and the note says so", () => {
  const { model } = opened();
  model.select("neck");
  model.nudge(1, 0);
  assert.equal(model.note(), "");
  const [x, y] = model.rig.joints.neck;
  model.look("input//kid.png", [400, 800]);
  assert.ok(close(model.rig.joints.neck, [2 * x, 2 * y]));
  assert.match(model.note(), /200 x 400 pixels and are scaled/);
  model.look("input//other.png", SIZE);
  assert.match(model.note(), /another picture of this size/);
});

test("commands that cannot be done say why and change nothing", () => {
  const { model, said, written } = opened();
  model.nudge(1, 0);
  assert.equal(said.at(-1), "Select a joint first.");
  model.select("chest");
  model.remove();
  assert.match(said.at(-1), /trunk cannot be removed/);
  model.mirror();
  assert.match(said.at(-1), /arm or a leg/);
  model.add();
  assert.match(said.at(-1), /there already/);
  model.reset();
  assert.match(said.at(-1), /as found/);
  model.locked = "Edit them there.";
  for (const work of ["swap", "remove", "add", "mirror", "undo"]) {
    model[work]();
    assert.equal(said.at(-1), "Edit them there.");
  }
  assert.deepEqual(written, []);
  const blank = opened(null);
  blank.model.add();
  assert.equal(blank.said.at(-1), "Run the node once to find the joints.");
});

test("a limb is switched off and on again", () => {
  const { model } = opened();
  assert.ok(model.has("right_arm"));
  model.toggle("right_arm");
  assert.deepEqual(LIMBS.right_arm.map((name) => model.rig.joints[name]), [null, null, null]);
  model.toggle("right_arm");
  assert.ok(model.has("right_arm"));
});

test("arrows move, with Shift further; Page keys go around", () => {
  const { model } = opened();
  const press = (key, more = {}) => {
    const event = { key, ...more };
    commandFor(GROUPS, event).run({ model }, event);
  };
  press("PageDown");
  assert.equal(model.selected, "pelvis");
  press("PageUp");
  assert.equal(model.selected, JOINTS.at(-1));
  const [x] = model.rig.joints[model.selected];
  press("ArrowLeft");
  press("ArrowLeft", { shiftKey: true });
  assert.ok(Math.abs(x - model.rig.joints[model.selected][0] - (11 * 400) / 512) < 0.02);
});

test("without a selected joint the Page keys begin at either end", () => {
  for (const [by, joint] of [
    [1, JOINTS[0]],
    [-1, JOINTS.at(-1)],
  ]) {
    const { model } = opened();
    model.step(by);
    assert.equal(model.selected, joint);
  }
});

test("the editor speaks Chinese", () => {
  speak("zh");
  const { model, said } = opened();
  model.select("right_wrist");
  model.remove();
  assert.equal(said.at(-1), "已移除右腕：它随身体一起动。");
  assert.equal(model.summary(), "16 个关节中的 15 个，已编辑");
});
