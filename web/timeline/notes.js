/** Sentences on the node's own settings, which change the beats behind the timeline. */
import { danced } from "./state.js";
import { t } from "./words.js";

/**
 * Values of the node's widgets.
 * @typedef {{edit: string, shift: number}} Settings
 */

/** Whether they change the beats. @param {Settings} settings */
export const changes = ({ edit, shift }) => edit !== "as heard" || shift !== 0;

/**
 * The beats that the dance gets, where they are others than the timeline's; else an empty text.
 * @param {import("./state.js").Marks} marks @param {Settings} settings
 * @param {number[]} times of the beats that the dance gets
 */
export function changeNote(marks, { edit, shift }, times) {
  const sentences = [];
  const facts = [times.length, danced(marks)];
  if (edit === "halve")
    sentences.push(t("The dance gets {0} of these {1} beats: edit is set to halve.", ...facts));
  if (edit === "double")
    sentences.push(
      t("The dance gets {0} beats instead of these {1}: edit is set to double.", ...facts),
    );
  const far = Math.abs(shift).toFixed(2);
  if (shift > 0) sentences.push(t("The dance gets all beats {0} s later: shift is set.", far));
  if (shift < 0) sentences.push(t("The dance gets all beats {0} s earlier: shift is set.", far));
  return sentences.join(" ");
}
