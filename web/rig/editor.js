/** The rig as it is edited, without any page: its state, and what is done to it. */
import { EditedText } from "../shared/edited_text.js";
import { jointName, JOINTS, LIMBS, limbOf, sideOf } from "./skeleton.js";
import * as state from "./state.js";
import { t } from "./words.js";

/** Steps of the arrow keys in the longer side of a picture. */
const STEPS = 512;

/** @extends {EditedText<state.Rig>} */
export class RigModel extends EditedText {
  constructor(page) {
    super(page);
    /** @type {string} The joint that commands are for; empty for none. */
    this.selected = "";
    /** @type {[number, number] | null} Width and height of the picture at hand. */
    this.size = null;
    /** Name of the picture at hand; empty where the graph does not tell. */
    this.picture = "";
    /** Name of the picture on which the edits were made. */
    this.madeOn = "";
    /** @type {{rig: state.Rig, picture: string} | null} The last rig that the node found. */
    this.last = null;
  }

  parse(text) {
    return state.parse(text);
  }

  serialize(rig) {
    this.madeOn = this.picture;
    return state.serialize(rig);
  }

  /** The rig that the node has found in the picture at hand. @returns {state.Rig | null} */
  get found() {
    if (!this.last || (this.picture && this.last.picture !== this.picture)) return null;
    const { rig } = this.last;
    if (!this.size) return rig;
    return state.sameShape(rig.size, this.size) ? state.scaled(rig, this.size) : null;
  }

  /** Whether the edits belong to a picture of another shape than the one at hand. */
  get foreign() {
    const { now } = this.history;
    return Boolean(now && this.size && !state.sameShape(now.size, this.size));
  }

  /** The rig in pixels of the picture at hand, if there is one. @returns {state.Rig | null} */
  get rig() {
    if (this.draft) return this.draft;
    const { now } = this.history;
    if (!now || this.foreign) return this.found;
    return this.size ? state.scaled(now, this.size) : now;
  }

  /** The picture at hand is this one. @param {string} picture its name, or an empty text */
  look(picture, size) {
    this.picture = picture;
    this.size = size;
  }

  /** Take over the rig of a run, which may be the edited one. @param {state.Rig} rig */
  see(rig) {
    const { past, now, future } = this.history;
    const edits = [now, ...past, ...future].filter(
      (edit) => edit && state.sameShape(edit.size, rig.size),
    );
    if (edits.some((edit) => state.same(state.scaled(edit, rig.size), rig))) return;
    this.last = { rig, picture: this.picture };
  }

  /** The reason why nothing can be edited; empty where it can. */
  get refusal() {
    if (this.locked) return this.locked;
    if (this.foreign) return t("Fit the edits to this picture, or reset them first.");
    return this.rig ? "" : t("Run the node once to find the joints.");
  }

  /** The rig is this one now. @param {state.Rig} rig @param {string} sentence */
  edit(rig, sentence, refused = t("Nothing to change.")) {
    this.draft = null;
    if (this.refusal) return this.page.say(this.refusal);
    if (state.same(rig, this.rig)) return this.page.say(refused);
    this.commit({ size: rig.size, joints: rig.joints }, sentence);
  }

  /** Back to the joints that the node finds. */
  reset() {
    if (!this.edited) return this.page.say(t("These are the joints as found."));
    const sentence = this.found
      ? t("The joints are as found.")
      : t("The joints will be found when the node runs.");
    this.commit(null, sentence);
  }

  /** Edits of a picture of another shape become those of the one at hand. */
  fit() {
    if (!this.foreign) return this.page.say(t("The edits belong to this picture."));
    this.commit(state.scaled(this.history.now, this.size), t("The edits fit this picture now."));
  }

  /** @param {string} joint */
  select(joint) {
    this.selected = joint;
    this.page.draw();
  }

  /** The joint before or behind the selected one, else the last or first one. @param {1 | -1} by */
  step(by) {
    const none = by > 0 ? -1 : 0;
    const at = this.selected ? JOINTS.indexOf(this.selected) : none;
    this.select(JOINTS[(at + by + JOINTS.length) % JOINTS.length]);
  }

  /** Do something to the selected joint. @param {(rig: state.Rig, joint: string) => void} work */
  withSelected(work) {
    if (this.refusal) this.page.say(this.refusal);
    else if (!this.selected) this.page.say(t("Select a joint first."));
    else work(this.rig, this.selected);
  }

  /** The selected joint by so many steps to the right and down. */
  nudge(x, y) {
    this.withSelected((rig, joint) => {
      if (!rig.joints[joint]) return this.page.say(absent(joint));
      const step = Math.max(...rig.size) / STEPS;
      const moved = state.move(rig, joint, [x * step, y * step]);
      this.edit(moved, placed(moved, joint), t("The picture ends here."));
    });
  }

  remove() {
    this.withSelected((rig, joint) => {
      if (!limbOf(joint)) return this.page.say(t("The trunk cannot be removed: move it instead."));
      const sentence = t("{0} removed: it stays with the body.", jointName(joint));
      this.edit(state.remove(rig, joint), sentence, absent(joint));
    });
  }

  add() {
    this.withSelected((rig, joint) => {
      const sentence = t("{0} added.", jointName(joint));
      const refused = t("{0} is there already. Select a grey one.", jointName(joint));
      this.edit(state.add(rig, joint), sentence, refused);
    });
  }

  /** Whether all of a limb is there. @param {string} limb */
  has(limb) {
    return LIMBS[limb].every((joint) => this.rig?.joints[joint]);
  }

  /** Remove a limb, or add what it lacks. @param {string} limb */
  toggle(limb) {
    const joints = LIMBS[limb];
    const there = this.has(limb);
    this.selected = there ? joints[0] : joints[joints.length - 1];
    if (there) this.remove();
    else this.add();
  }

  mirror() {
    this.withSelected((rig, joint) => {
      const side = sideOf(joint);
      if (!side) return this.page.say(t("Select a joint of an arm or a leg first."));
      const sentence =
        side === "right"
          ? t("The right limb is mirrored to the left.")
          : t("The left limb is mirrored to the right.");
      this.edit(state.mirror(rig, joint), sentence);
    });
  }

  swap() {
    if (this.refusal) this.page.say(this.refusal);
    else this.edit(state.swap(this.rig), t("Right and left are exchanged."));
  }

  /** One sentence on a joint, to be read out. @param {string} joint */
  describe(joint) {
    if (!this.rig) return t("No joints yet: run the node");
    if (!joint) return t("No joint selected");
    const place = this.rig.joints[joint];
    if (!place) return t("{0}, absent", jointName(joint));
    const sentence = t("{0}, {1} across, {2} down", jointName(joint), ...place.map(Math.round));
    const sure = this.confidence(joint);
    return sure >= 1 ? sentence : t("{0}, {1} % certain", sentence, Math.round(sure * 100));
  }

  /** The node's certainty of a joint, 0 to 1. @param {string} joint */
  confidence(joint) {
    return this.edited && !this.foreign ? 1 : (this.rig?.confidence?.[joint] ?? 1);
  }

  /** One line on the rig. */
  summary() {
    const { rig } = this;
    if (this.foreign) {
      const sizes = [...this.history.now.size, ...this.size];
      return t("The edits are of another picture: {0} x {1} pixels, not {2} x {3}.", ...sizes);
    }
    if (!rig)
      return this.size
        ? t("Run the node once to find the joints.")
        : t("Run the node once to see the picture and its joints.");
    const count = state.present(rig).length;
    if (this.edited) return t("{0} of {1} joints, edited", count, JOINTS.length);
    if (!count) return t("No joints were found: the picture dances as a whole.");
    return t("{0} of {1} joints found", count, JOINTS.length);
  }

  /** One sentence of warning, or an empty text. */
  note() {
    const { now } = this.history;
    if (!now || !this.size) return "";
    if (this.foreign)
      return t("They are not used: reset them, or choose to fit them to this picture.");
    if (now.size.some((side, axis) => side !== this.size[axis]))
      return t("The edits were made at {0} x {1} pixels and are scaled to this size.", ...now.size);
    if (this.madeOn && this.picture && this.madeOn !== this.picture)
      return t("The edits are of another picture of this size. Reset them if they do not fit.");
    return "";
  }
}

const absent = (joint) => t("{0} is absent: add it first.", jointName(joint));

/** @param {state.Rig} rig @param {string} joint */
export const placed = (rig, joint) =>
  t("{0} at {1}, {2}.", jointName(joint), ...rig.joints[joint].map(Math.round));
