/** An editor on its node: the panel, keys, wheel and drawing; a text widget holds the edits. */
import { commandFor } from "./commands.js";
import { sharpContext } from "./draw.js";
import { forwardWheel, isLinked, keepState, widgetOf } from "./host.js";
import { fitRow, rove } from "./panel.js";

/**
 * Subclasses set `model`, an `EditedText`, and define `paint(context, size)`, `describe()`, which
 * returns texts of the panel, `store()`, which puts into the node's properties what a reload needs,
 * `lockedSentence()`, `zoom(factor, event)`, `scroll(pixels)` and `choose(item)`.
 */
export class NodeEditor {
  /**
   * @param {any} node of the host
   * @param {string} input name of the text widget
   * @param {ReturnType<typeof import("./panel.js").buildPanel>} panel
   * @param {import("./commands.js").Group[]} groups
   */
  constructor(node, input, panel, groups) {
    this.node = node;
    this.input = input;
    this.panel = panel;
    this.groups = groups;
    this._listen();
    this.requestDraw();
  }

  /** Callbacks of the model. */
  get page() {
    return {
      write: (text) => this.write(text),
      say: (sentence) => this.say(sentence),
      draw: () => this.requestDraw(),
    };
  }

  /** Show a sentence, and have it read out. */
  say(sentence) {
    const { status } = this.panel;
    // The same sentence again is read out only if it differs.
    status.textContent = status.textContent === sentence ? `${sentence}\u00a0` : sentence;
  }

  /** Take over the widget's text. */
  load() {
    this.model.load(String(widgetOf(this.node, this.input).value ?? ""));
    this.requestDraw();
  }

  /** Store the model's text in the widget. */
  write(text) {
    keepState(() => {
      widgetOf(this.node, this.input).value = text;
      this.store();
    });
    this.node.setDirtyCanvas?.(true, true);
  }

  /** Have the host save what `store` stores. */
  remember() {
    keepState(() => this.store());
  }

  _listen() {
    const { root, buttons, menu, canvas, slider, stage } = this.panel;
    for (const { button, command } of buttons) {
      button.addEventListener("click", () => {
        const stays = menu.list.contains(button) && command.repeats;
        if (!stays) {
          menu.list.hidePopover();
          this.focus();
        }
        command.run(this);
        this.requestDraw();
      });
      button.addEventListener("mousedown", (event) => event.preventDefault());
    }
    slider.addEventListener("input", () => this.choose(Number(slider.value)));
    root.addEventListener("keydown", (event) => this._key(event));
    canvas.addEventListener("wheel", (event) => this._wheel(event), { passive: false });
    this._sized = new ResizeObserver(() => this.requestDraw());
    this._sized.observe(stage);
    this._themed = new MutationObserver(() => this.requestDraw());
    for (const watched of [document.documentElement, document.body])
      this._themed.observe(watched, { attributes: true, attributeFilter: ["style", "class"] });
  }

  /** Move the focus to where the keys work. */
  focus() {
    this.panel.slider.focus({ preventScroll: true });
  }

  _key(event) {
    const onButton = event.target.localName === "button";
    const activates = onButton && (event.key === " " || event.key === "Enter");
    const command = activates ? undefined : commandFor(this.groups, event);
    // Arrows on a button go to the next one, whatever they do elsewhere.
    if (!(onButton && rove(this.panel.toolbar, event))) {
      if (!command) {
        // The host's letters must not reach it from here; its Ctrl+Enter, Ctrl+S and the like may.
        if (!event.ctrlKey && !event.metaKey && event.key !== "Escape") event.stopPropagation();
        return;
      }
      command.run(this, event);
    }
    event.preventDefault();
    event.stopPropagation();
    this.requestDraw();
  }

  _wheel(event) {
    if (!this.panel.root.contains(document.activeElement)) return forwardWheel(event);
    event.preventDefault();
    event.stopPropagation();
    const across = event.shiftKey ? event.deltaY : event.deltaX;
    if (Math.abs(across) > Math.abs(event.shiftKey ? 0 : event.deltaY)) this.scroll(across);
    else this.zoom(Math.exp(-event.deltaY / 500), event);
    this.requestDraw();
  }

  /** Draw before the next frame. */
  requestDraw() {
    this._request ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this._request = undefined;
    const { node, input, panel } = this;
    this.model.locked = isLinked(node, input) ? this.lockedSentence() : "";
    this._tell();
    const sharp = sharpContext(panel.canvas);
    if (!sharp) return;
    fitRow(panel);
    this.paint(sharp.context, sharp.size);
  }

  _tell() {
    const { panel } = this;
    const { summary, note, item, items, itemText } = this.describe();
    if (panel.summary.textContent !== summary)
      panel.summary.textContent = panel.summary.title = summary;
    if (panel.note.textContent !== note) panel.note.textContent = note;
    panel.slider.max = String(Math.max(0, items - 1));
    panel.slider.value = String(Math.max(0, item));
    panel.slider.setAttribute("aria-valuetext", itemText);
    for (const { button, command } of panel.buttons) {
      if (!command.pressed) continue;
      const state = button.role === "menuitemcheckbox" ? "aria-checked" : "aria-pressed";
      button.setAttribute(state, String(command.pressed(this)));
    }
  }

  /** The node is gone. */
  close() {
    this._sized.disconnect();
    this._themed.disconnect();
  }
}
