/**
 * Rigs: pure functions, without any page.
 *
 * @typedef {[number, number]} Point x and y in pixels of the picture, y down.
 * @typedef {{size: [number, number], joints: Record<string, Point | null>,
 *   confidence?: Record<string, number>}} Rig
 *   `size` is that of the picture; a joint that is null stays with the body.
 */
import { JOINTS, limbOf, LIMBS, otherSide, PARENTS, STANDING, TRUNK } from "./skeleton.js";
import { t } from "./words.js";

/** Share by which the shapes of a rig's picture and of another may differ, as in the node. */
const TOLERANCE = 0.02;
/** Height of the figure in a picture of which nothing is known, and its place on the ground. */
const HEIGHT = 0.9;
const GROUND = 0.95;

const rounded = (number) => Math.round(number * 100) / 100;

const isPoint = (value) =>
  Array.isArray(value) && value.length === 2 && value.every((number) => Number.isFinite(number));

/**
 * The rig in the text of the widget; null for an empty one.
 * @param {string} text @returns {Rig | null}
 * @throws {Error} with one sentence, where it is not such JSON.
 */
export function parse(text) {
  if (!text.trim()) return null;
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    throw new Error(t("The text of the edits is not JSON."));
  }
  if (!isPoint(data?.size) || data.size.some((side) => side < 1))
    throw new Error(t("The edits have no size [width, height]."));
  const joints = data.joints;
  if (!joints || typeof joints !== "object" || Array.isArray(joints))
    throw new Error(t("The edits have no joints."));
  for (const [name, place] of Object.entries(joints)) {
    if (!JOINTS.includes(name)) throw new Error(t("The edits have an unknown joint: {0}.", name));
    if (place !== null && !isPoint(place))
      throw new Error(t("The edits have no place [x, y] for the joint {0}.", name));
  }
  return withJoints({ size: data.size }, joints);
}

/** The text of a rig. @param {Rig} rig */
export const serialize = ({ size, joints }) =>
  JSON.stringify({ size, joints: withJoints({ size }, joints).joints });

/** The rig with these joints and null for all others. @returns {Rig} */
function withJoints({ size }, joints) {
  const places = JOINTS.map((name) => [name, joints[name]?.map(rounded) ?? null]);
  return { size: [size[0], size[1]], joints: Object.fromEntries(places) };
}

/** The rig with some of its joints changed. @param {Rig} rig @returns {Rig} */
const changed = (rig, joints) => withJoints(rig, { ...rig.joints, ...joints });

/** Whether all joints are in the same places, within a twentieth of a pixel. */
export const same = (one, other) =>
  JOINTS.every((name) => {
    const [a, b] = [one.joints[name], other.joints[name]];
    return a && b ? Math.hypot(a[0] - b[0], a[1] - b[1]) < 0.05 : !a && !b;
  });

/** Whether pictures of these sizes have the same shape. */
export const sameShape = ([width, height], [otherWidth, otherHeight]) =>
  Math.abs(width * otherHeight - height * otherWidth) <= TOLERANCE * height * otherWidth;

/** The rig for the picture resized to `size`. @param {Rig} rig @returns {Rig} */
export function scaled(rig, size) {
  const [x, y] = [size[0] / rig.size[0], size[1] / rig.size[1]];
  const joints = JOINTS.map((name) => [
    name,
    rig.joints[name] && [rig.joints[name][0] * x, rig.joints[name][1] * y],
  ]);
  return { ...withJoints({ size }, Object.fromEntries(joints)), confidence: rig.confidence };
}

/** Joints that are there. @param {Rig} rig */
export const present = (rig) => JOINTS.filter((name) => rig.joints[name]);

/** The joint with everything that hangs on it, outwards. @param {string} joint */
export const withOuter = (joint) =>
  JOINTS.filter((name) => {
    for (let at = name; at; at = PARENTS[at]) if (at === joint) return true;
    return false;
  });

/**
 * The rig with a joint moved by a vector, and, if `all`, with everything that hangs on it. Places
 * stay in the picture. @param {Rig} rig @param {Point} by @returns {Rig}
 */
export function move(rig, joint, by, all = false) {
  const names = (all ? withOuter(joint) : [joint]).filter((name) => rig.joints[name]);
  return changed(rig, Object.fromEntries(names.map((name) => [name, inside(rig, name, by)])));
}

function inside({ size, joints }, name, by) {
  return joints[name].map((number, axis) => clamp(number + by[axis], size[axis]));
}

const clamp = (number, most) => Math.min(Math.max(number, 0), most);

/** The rig without the joint and what hangs on it in its limb; the same in the trunk. */
export function remove(rig, joint) {
  const limb = limbOf(joint);
  if (!limb) return rig;
  const outer = limb.slice(limb.indexOf(joint));
  return changed(rig, Object.fromEntries(outer.map((name) => [name, null])));
}

/** The rig with the joint and what it hangs on, in places as of `ghosts`. @returns {Rig} */
export function add(rig, joint) {
  const limb = limbOf(joint);
  const inner = limb ? limb.slice(0, limb.indexOf(joint) + 1) : [joint];
  const places = allPlaces(rig);
  return changed(
    rig,
    Object.fromEntries(inner.map((name) => [name, rig.joints[name] ?? places[name]])),
  );
}

/** The rig with the limb of `joint` mirrored to the other side; the same for the trunk and head. */
export function mirror(rig, joint) {
  const limb = limbOf(joint);
  if (!limb || limb === LIMBS.head) return rig;
  const reflect = reflection(rig);
  const joints = limb.map((name) => [
    otherSide(name),
    rig.joints[name] && reflect(rig.joints[name]),
  ]);
  return changed(rig, Object.fromEntries(joints));
}

/** The rig with right and left exchanged. @param {Rig} rig @returns {Rig} */
export const swap = (rig) =>
  withJoints(
    rig,
    Object.fromEntries(JOINTS.map((name) => [name, rig.joints[otherSide(name)]])),
  );

/** Reflects points at the trunk's axis, else at the vertical through what is in the middle. */
function reflection({ size, joints }) {
  const { pelvis, neck } = joints;
  const middle = [...TRUNK, "head_top"].map((name) => joints[name]).find(Boolean);
  const from = pelvis ?? middle ?? [size[0] / 2, 0];
  const along = pelvis && neck ? [neck[0] - pelvis[0], neck[1] - pelvis[1]] : [0, 1];
  const length = Math.hypot(...along) || 1;
  const [x, y] = [-along[1] / length, along[0] / length];
  return (point) => {
    const away = (point[0] - from[0]) * x + (point[1] - from[1]) * y;
    return [clamp(point[0] - 2 * away * x, size[0]), clamp(point[1] - 2 * away * y, size[1])];
  };
}

/** Places where absent joints would be added. @param {Rig} rig @returns {Record<string, Point>} */
export function ghosts(rig) {
  const places = allPlaces(rig);
  return Object.fromEntries(
    JOINTS.filter((name) => !rig.joints[name]).map((name) => [name, places[name]]),
  );
}

/** Places of all joints: an absent one is mirrored, or stands as from the next one inwards. */
function allPlaces(rig) {
  const { size, joints } = rig;
  const reflect = reflection(rig);
  const places = {};
  for (const name of JOINTS)
    if (joints[name]) places[name] = joints[name];
    else if (joints[otherSide(name)]) places[name] = reflect(joints[otherSide(name)]);
  const [right, up] = axes(rig);
  for (const name of JOINTS.filter((absent) => !places[absent])) {
    let from = PARENTS[name];
    while (from && !joints[from]) from = PARENTS[from];
    const [x, y] = from ? joints[from] : [size[0] / 2, GROUND * size[1]];
    const away = (joint) => {
      const [over, above] = STANDING[joint].map((z, axis) => z - (from ? STANDING[from][axis] : 0));
      return [over * right[0] + above * up[0], over * right[1] + above * up[1]];
    };
    // A limb for which there is too little room is shorter, so that its joints stay apart.
    const tip = away(limbOf(name)?.at(-1) ?? "head_top");
    const share = Math.min(room(x, tip[0], size[0]), room(y, tip[1], size[1]));
    const [dx, dy] = away(name);
    places[name] = [clamp(x + share * dx, size[0]), clamp(y + share * dy, size[1])].map(rounded);
  }
  return places;
}

/** The share of a way from `start` by `by` that stays in 0 to `most`. */
const room = (start, by, most) =>
  by ? Math.min(1, Math.max(0, (by > 0 ? most - start : start) / Math.abs(by))) : 1;

/** Vectors of one body height to the right and up, as the trunk shows them. @param {Rig} rig */
function axes({ size, joints: { pelvis, neck } }) {
  let up = [0, -HEIGHT * size[1]];
  if (pelvis && neck) {
    const trunk = STANDING.neck[1] - STANDING.pelvis[1];
    up = [(neck[0] - pelvis[0]) / trunk, (neck[1] - pelvis[1]) / trunk];
  }
  return [[-up[1], up[0]], up];
}

/**
 * The joint nearest to a point of the picture, within `reach` pixels of it; null if there is none.
 * @param {Record<string, Point | null>} places @param {Point} point
 */
export function nearest(places, point, reach) {
  let best = null;
  let least = reach;
  for (const [name, place] of Object.entries(places)) {
    const away = place ? Math.hypot(place[0] - point[0], place[1] - point[1]) : Infinity;
    if (away <= least) [best, least] = [name, away];
  }
  return best;
}
