/** A value that a person edits, with its history, kept as the text of a widget; no page. */
import * as history from "./history.js";
import { t } from "./words.js";

/**
 * Subclasses define `parse(text)`, which returns null for an empty text and throws an `Error` with
 * one sentence for a wrong one, `serialize(value)`, and may define `arrived(before)`.
 * @template Value
 */
export class EditedText {
  /**
   * @param {{write: (text: string) => void, say: (text: string) => void, draw: () => void}} page
   *   `write` stores the text in the node, `say` shows a sentence, `draw` redraws the canvas.
   */
  constructor(page) {
    this.page = page;
    this.history = history.begin(null);
    /** @type {Value | null} The value while it is dragged. */
    this.draft = null;
    this.text = "";
    /** Why nothing can be edited; empty where it can. */
    this.locked = "";
  }

  /** Whether the value is a person's, not the node's. */
  get edited() {
    return this.history.now !== null;
  }

  /** Take over the widget's text, unless it was written from here. Returns whether it was new. */
  load(text) {
    if (text === this.text) return false;
    this.text = text;
    this.draft = null;
    this.page.say("");
    try {
      this.history = history.begin(this.parse(text));
    } catch (error) {
      this.history = history.begin(null);
      this.page.say(error.message);
    }
    return true;
  }

  /** From now on the value is this one; null drops all edits. */
  commit(value, sentence) {
    if (this.locked) return this.page.say(this.locked);
    this._to(history.commit(this.history, value), sentence);
  }

  undo() {
    this._travel(history.undo(this.history), t("Undone."), t("Nothing to undo."));
  }

  redo() {
    this._travel(history.redo(this.history), t("Done again."), t("Nothing to redo."));
  }

  _travel(to, sentence, refused) {
    if (this.locked) return this.page.say(this.locked);
    if (to.past.length === this.history.past.length) return this.page.say(refused);
    this._to(to, sentence);
  }

  _to(to, sentence) {
    const before = this.history.now;
    this.draft = null;
    this.history = to;
    this.arrived(before);
    this.text = to.now === null ? "" : this.serialize(to.now);
    this.page.say(sentence);
    this.page.draw();
    this.page.write(this.text);
  }

  /** The value has changed from `before`, by an edit, undo or redo. */
  arrived(before) {}
}
