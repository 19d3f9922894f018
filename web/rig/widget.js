/** The rig editor on its node. */
import { colours } from "../shared/draw.js";
import { language, watchGraph } from "../shared/host.js";
import { mountEditor } from "../shared/mount.js";
import { NodeEditor } from "../shared/node_editor.js";
import { addStyle, buildPanel } from "../shared/panel.js";
import { speak } from "../shared/words.js";
import { GROUPS } from "./commands.js";
import { draw } from "./draw.js";
import { RigModel } from "./editor.js";
import { loadedFile, nameOf, Picture } from "./picture.js";
import { attachJoints } from "./pointer.js";
import { JOINTS } from "./skeleton.js";
import { pan, scaleOf, showing, toPicture, WHOLE, zoom } from "./view.js";
import { t } from "./words.js";

const SIZE = { width: 440, height: 420 };
const PROPERTY = "musedance_rig";
/** Names of colours in the drawing, and in the style sheet. */
const COLOURS = {
  ...{ paper: "paper", ink: "ink", faint: "faint" },
  ...{ left: "blue", right: "orange", middle: "green" },
};

/** Give a Rig node its editor. */
export function addRigEditor(node) {
  addStyle();
  speak(language());
  // The editor shows the picture of a run. The host's own preview would be a second one: Nodes 2.0
  // asks for a flag, and the classic canvas makes it where it draws a node's background.
  node.hideOutputImages = true;
  node.onDrawBackground = () => {};
  mountEditor(node, new RigEditor(node), { name: "rig_editor", ...SIZE, watched: [] });
}

const build = () =>
  buildPanel({
    groups: GROUPS,
    translate: t,
    className: "rig-editor",
    label: t("Rig editor"),
    editing: t("Rig editing"),
    items: t("Joints"),
    hint: t(
      "Drag a joint to move it, with Shift its limb, too. Drag a grey one to add it. The wheel zooms.",
    ),
    help: [
      t("Page Up and Page Down choose a joint, arrow keys move it."),
      t("Delete removes it, A adds it, M mirrors its limb, Control Z undoes."),
      t("The menu More has all other commands."),
    ].join(" "),
  });

/** @extends {NodeEditor} */
export class RigEditor extends NodeEditor {
  constructor(node) {
    super(node, "edits", build(), GROUPS);
    this.model = new RigModel(this.page);
    this.view = WHOLE;
    this.picture = new Picture(() => this.requestDraw());
    /** @type {import("./picture.js").File | null} The picture of the last run. */
    this.preview = null;
    attachJoints(this);
    // Another picture may have been chosen in the node that loads it.
    this._unwatch = watchGraph(() => this.requestDraw());
    this.panel.slider.addEventListener("focus", () => {
      if (!this.model.selected && this.model.rig) this.model.select(JOINTS[0]);
    });
  }

  /** The state that the workflow has saved. */
  restore() {
    const { preview, last, madeOn } = this.node.properties?.[PROPERTY] ?? {};
    this.preview = preview ?? null;
    this.model.last = last ?? null;
    this.load();
    this.model.madeOn = madeOn ?? "";
  }

  /** The outputs of a run. */
  executed({ rig: [rig] = [], images: [preview] = [] }) {
    if (!rig) return;
    const { filename, subfolder, type } = preview ?? {};
    this.preview = filename ? { filename, subfolder, type } : null;
    this._look();
    this.model.see(rig);
    this.remember();
    this.requestDraw();
  }

  store() {
    const { last, madeOn } = this.model;
    this.node.properties[PROPERTY] = { preview: this.preview, last, madeOn };
  }

  /** Find out which picture is at hand. */
  _look() {
    const loaded = loadedFile(this.node);
    this.picture.show(loaded ?? this.preview);
    const { model } = this;
    model.look(nameOf(loaded), this.picture.size);
  }

  lockedSentence() {
    return t("The edits come from outside this node: change them there.");
  }

  choose(index) {
    this.model.select(JOINTS[index]);
  }

  /** Width and height of the picture, or of the one that the rig belongs to. */
  get size() {
    return this.model.size ?? this.model.rig?.size ?? null;
  }

  get stage() {
    const { clientWidth, clientHeight } = this.panel.canvas;
    return { width: clientWidth, height: clientHeight };
  }

  /** CSS pixels of one pixel of the picture. */
  get scale() {
    return this.size ? scaleOf(this.view, this.size, this.stage) : 1;
  }

  /** Pixels of the screen in a CSS pixel, by the zoom of the graph. */
  get shown() {
    const { canvas } = this.panel;
    return canvas.getBoundingClientRect().width / canvas.clientWidth;
  }

  /** Point of the picture under the pointer. */
  pointAt(event) {
    const { left, top } = this.panel.canvas.getBoundingClientRect();
    const place = [(event.clientX - left) / this.shown, (event.clientY - top) / this.shown];
    return toPicture(this.view, this.size ?? [1, 1], this.stage, place);
  }

  /** Zoom around the pointer of `event`, else around the selected joint, else the middle. */
  zoom(factor, event) {
    const { model, size, view } = this;
    if (!size) return;
    const middle = [view.x * size[0], view.y * size[1]];
    const around = event ? this.pointAt(event) : (model.rig?.joints[model.selected] ?? middle);
    this.view = zoom(view, factor, size, around);
  }

  /** Scroll to the right by so many pixels of a wheel. */
  scroll(pixels) {
    this.view = pan(this.view, pixels / 1000 / this.view.zoom, 0);
  }

  fit() {
    this.view = WHOLE;
  }

  draw() {
    this._look();
    super.draw();
  }

  paint(context, stage) {
    const { model, size } = this;
    const { rig, selected } = model;
    const chosen = rig?.joints[selected];
    if (chosen && !model.draft && this._followed !== selected)
      this.view = showing(this.view, size, stage, chosen);
    this._followed = selected;
    const scene = { image: this.picture.image, size, view: this.view, rig, selected };
    scene.confidence = (joint) => model.confidence(joint);
    draw(context, stage, scene, colours(this.panel.root, COLOURS));
  }

  describe() {
    const { model } = this;
    return {
      summary: model.summary(),
      note: model.note(),
      item: JOINTS.indexOf(model.selected),
      items: model.rig ? JOINTS.length : 0,
      itemText: model.describe(model.selected),
    };
  }

  close() {
    this._unwatch();
    super.close();
  }
}
