/** The drawing of the rig on its picture: a function of a scene. */
import { line } from "../shared/draw.js";
import { jointName, JOINTS, PARENTS, sideOf } from "./skeleton.js";
import { ghosts } from "./state.js";
import { scaleOf, toStage } from "./view.js";

/** CSS pixels: of joints, of bones, of the rim that sets both off from the picture. */
const RADIUS = 4.5;
const BONE = 3;
const RIM = 2;
/** CSS pixels between a joint and its name, and around the name. */
const AWAY = 10;
const PAD = 4;
/** Opacity of a joint of which the node is not certain at all, and of an absent one. */
const PALEST = 0.35;
const GHOST = 0.75;

/**
 * @typedef {{image: CanvasImageSource | null, size: [number, number] | null,
 *   view: import("./view.js").View, rig: import("./state.js").Rig | null, selected: string,
 *   confidence: (joint: string) => number}} Scene
 */

/**
 * @param {CanvasRenderingContext2D} context in CSS pixels
 * @param {{width: number, height: number}} stage
 * @param {Scene} scene @param {Record<string, string>} colour
 */
export function draw(context, stage, scene, colour) {
  const { image, size, view, rig, selected, confidence } = scene;
  context.fillStyle = colour.paper;
  context.fillRect(0, 0, stage.width, stage.height);
  if (!size) return;
  const at = (point) => toStage(view, size, stage, point);
  if (image) {
    const scale = scaleOf(view, size, stage);
    context.imageSmoothingQuality = "high";
    context.drawImage(image, ...at([0, 0]), size[0] * scale, size[1] * scale);
  }
  if (!rig) return;
  const absent = ghosts(rig);
  const places = Object.fromEntries(
    JOINTS.map((name) => [name, at(rig.joints[name] ?? absent[name])]),
  );
  const faint = (name) => !rig.joints[name];
  const opacity = (name) =>
    faint(name) ? GHOST : name === selected ? 1 : PALEST + (1 - PALEST) * confidence(name);
  for (const pass of [drawBone, drawJoint])
    for (const name of [...JOINTS].sort((one, other) => faint(other) - faint(one))) {
      context.save();
      context.globalAlpha = opacity(name);
      const shade = faint(name) ? colour.faint : shadeOf(name, colour);
      const style = { shade, absent: faint(name), chosen: name === selected };
      pass(context, places, name, style, colour);
      context.restore();
    }
  if (selected) drawName(context, stage, places[selected], jointName(selected), colour);
}

const shadeOf = (name, colour) => colour[sideOf(name) || "middle"];

/** The bone from a joint's parent to it. */
function drawBone(context, places, name, { shade, absent }, colour) {
  const parent = PARENTS[name];
  if (!parent) return;
  const ends = [...places[parent], ...places[name]];
  if (absent) context.setLineDash([3, 4]);
  else line(context, ...ends, colour.paper, BONE + RIM);
  line(context, ...ends, shade, absent ? 1.5 : BONE);
}

/** A disc, hollow where the joint is absent. */
function drawJoint(context, places, name, { shade, absent, chosen }, colour) {
  context.beginPath();
  context.arc(...places[name], chosen ? RADIUS + 2 : RADIUS, 0, 2 * Math.PI);
  context.fillStyle = absent ? colour.paper : shade;
  context.fill();
  context.strokeStyle = chosen ? colour.ink : absent ? shade : colour.paper;
  context.lineWidth = chosen ? 2 : 1.5;
  context.stroke();
}

/** The selected joint's name beside it, where the stage has room. */
function drawName(context, stage, [x, y], name, colour) {
  context.font = "11px Inter, Arial, sans-serif";
  const width = context.measureText(name).width + 2 * PAD;
  const height = 11 + 2 * PAD;
  const right = x + AWAY + width <= stage.width;
  const left = Math.min(Math.max(right ? x + AWAY : x - AWAY - width, 0), stage.width - width);
  const top = Math.min(Math.max(y - height / 2, 0), stage.height - height);
  context.globalAlpha = 0.85;
  context.fillStyle = colour.paper;
  context.fillRect(left, top, width, height);
  context.globalAlpha = 1;
  context.fillStyle = colour.ink;
  context.textBaseline = "middle";
  context.fillText(name, left + PAD, top + height / 2);
}
