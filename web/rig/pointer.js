/** The pointer on the rig: drag a joint or an absent one, select, pan. */
import { attachPointer } from "../shared/pointer.js";
import { placed } from "./editor.js";
import { jointName } from "./skeleton.js";
import { add, ghosts, move, nearest } from "./state.js";
import { pan } from "./view.js";
import { t } from "./words.js";

/** CSS pixels within which a joint is grasped. */
const REACH = 9;

/** @param {import("./widget.js").RigEditor} editor */
export function attachJoints(editor) {
  const { model, panel } = editor;

  /** The joint under the pointer, before those that are absent. */
  const grasped = (event) => {
    const { rig } = model;
    if (!rig) return null;
    const [point, reach] = [editor.pointAt(event), REACH / editor.scale];
    return nearest(rig.joints, point, reach) ?? nearest(ghosts(rig), point, reach);
  };

  // While nothing can be edited, an absent joint that is dragged stays absent.
  const sentenceOn = (joint) => (model.rig.joints[joint] ? placed(model.rig, joint) : "");

  attachPointer(panel.canvas, {
    press(event) {
      const gesture = {
        joint: grasped(event),
        rig: model.rig,
        from: editor.pointAt(event),
        view: editor.view,
        all: event.shiftKey,
      };
      editor.focus();
      if (gesture.joint) model.select(gesture.joint);
      return gesture;
    },
    cursor: (event) => (grasped(event) ? "move" : editor.view.zoom > 1 ? "grab" : "default"),
    drag({ joint, rig, from, view, all }, event, by) {
      if (!joint) {
        const scale = editor.scale * editor.shown;
        const [width, height] = model.size ?? [1, 1];
        editor.view = pan(view, -by.x / scale / width, -by.y / scale / height);
      } else if (!model.refusal) {
        const point = editor.pointAt(event);
        const vector = [point[0] - from[0], point[1] - from[1]];
        model.draft = move(add(rig, joint), joint, vector, all);
      }
      editor.requestDraw();
    },
    drop({ joint }) {
      if (joint) model.edit(model.rig, sentenceOn(joint));
    },
    click({ joint, rig }) {
      if (joint && !rig.joints[joint])
        model.page.say(t("{0} is absent: drag it, or press A to add it.", jointName(joint)));
    },
    cancel() {
      model.draft = null;
      editor.requestDraw();
    },
  });
}
