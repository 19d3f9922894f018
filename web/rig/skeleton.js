/** The skeleton of `musedance_core.dance.skeleton`: joints, their order and what hangs on what. */
import { t } from "./words.js";

/** Joints and the joint that each hangs on, those in the middle first. */
export const PARENTS = {
  pelvis: null,
  chest: "pelvis",
  neck: "chest",
  head_top: "neck",
  right_shoulder: "chest",
  right_elbow: "right_shoulder",
  right_wrist: "right_elbow",
  left_shoulder: "chest",
  left_elbow: "left_shoulder",
  left_wrist: "left_elbow",
  right_hip: "pelvis",
  right_knee: "right_hip",
  right_ankle: "right_knee",
  left_hip: "pelvis",
  left_knee: "left_hip",
  left_ankle: "left_knee",
};
export const JOINTS = Object.keys(PARENTS);
/** Joints that are always part of the body. */
export const TRUNK = ["pelvis", "chest", "neck"];

/** Limbs, from the trunk outwards. */
export const LIMBS = {
  right_arm: ["right_shoulder", "right_elbow", "right_wrist"],
  left_arm: ["left_shoulder", "left_elbow", "left_wrist"],
  right_leg: ["right_hip", "right_knee", "right_ankle"],
  left_leg: ["left_hip", "left_knee", "left_ankle"],
  head: ["head_top"],
};

/** The joints of the limb that `joint` is part of; null in the trunk. @param {string} joint */
export const limbOf = (joint) =>
  Object.values(LIMBS).find((joints) => joints.includes(joint)) ?? null;

/** "right", "left" or, in the middle, an empty text. @param {string} joint */
export const sideOf = (joint) => /^(right|left)_/.exec(joint)?.[1] ?? "";

/** The joint at the other side; of a joint in the middle, itself. @param {string} joint */
export function otherSide(joint) {
  const side = sideOf(joint);
  return side ? joint.replace(side, side === "right" ? "left" : "right") : joint;
}

/** A standing person: x to the right from the middle, y up from the ground, in body heights. */
export const STANDING = {
  pelvis: [0, 0.53],
  chest: [0, 0.7],
  neck: [0, 0.82],
  head_top: [0, 1],
  right_shoulder: [-0.115, 0.8],
  right_elbow: [-0.135, 0.63],
  right_wrist: [-0.145, 0.475],
  left_shoulder: [0.115, 0.8],
  left_elbow: [0.135, 0.63],
  left_wrist: [0.145, 0.475],
  right_hip: [-0.06, 0.52],
  right_knee: [-0.07, 0.28],
  right_ankle: [-0.075, 0.04],
  left_hip: [0.06, 0.52],
  left_knee: [0.07, 0.28],
  left_ankle: [0.075, 0.04],
};

/** A joint's name in the host's language. @param {string} joint */
export const jointName = (joint) =>
  ({
    pelvis: t("Pelvis"),
    chest: t("Chest"),
    neck: t("Neck"),
    head_top: t("Top of the head"),
    right_shoulder: t("Right shoulder"),
    right_elbow: t("Right elbow"),
    right_wrist: t("Right wrist"),
    left_shoulder: t("Left shoulder"),
    left_elbow: t("Left elbow"),
    left_wrist: t("Left wrist"),
    right_hip: t("Right hip"),
    right_knee: t("Right knee"),
    right_ankle: t("Right ankle"),
    left_hip: t("Left hip"),
    left_knee: t("Left knee"),
    left_ankle: t("Left ankle"),
  })[joint];
