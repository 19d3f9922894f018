/** The beat timeline on its node: elements, pointer and keys, and the node's text that holds it all. */
import { commandFor } from "./commands.js";
import { colours, draw } from "./draw.js";
import { Editor } from "./editor.js";
import { finePeaks } from "./finer.js";
import {
  danceStart,
  forwardWheel,
  isLinked,
  keepState,
  language,
  songUrl,
  widgetOf,
} from "./host.js";
import { addStyle, buildPanel, rove } from "./panel.js";
import { Player } from "./player.js";
import { attachPointer } from "./pointer.js";
import { packed, unpacked } from "./remember.js";
import { BAR, result } from "./state.js";
import { scroll, showing, toTime, whole, zoom } from "./view.js";
import { speak, t } from "./words.js";

const HEIGHT = 240;
const WIDTH = 480;
/** The text itself is seldom looked at. */
const TEXT_HEIGHT = 60;
const PROPERTY = "musedance_timeline";

/** Give an Beats node its timeline. */
export function addBeatTimeline(node) {
  addStyle();
  speak(language());
  const timeline = new Timeline(node);
  // Nodes 2.0 keeps what it shows for a name and a type, even where the host has made the node anew
  // (its own undo does): a type that never was before makes it take these elements.
  const type = `musedance_timeline_${Math.random().toString(36).slice(2)}`;
  const widget = node.addDOMWidget("beat_timeline", type, timeline.panel.root, {
    serialize: false,
    getMinHeight: () => HEIGHT,
  });
  widget.serialize = false;
  const { options } = widgetOf(node, "timeline");
  options.getMinHeight = options.getMaxHeight = () => TEXT_HEIGHT;
  node.setSize?.([Math.max(node.size[0], WIDTH), node.computeSize()[1]]);

  const after = (name, work) => {
    const before = node[name];
    node[name] = function (...given) {
      const answer = before?.apply(this, given);
      work(...given);
      return answer;
    };
  };
  after("onConfigure", () => timeline.restore());
  after("onExecuted", (said) => timeline.executed(said?.musedance_timeline?.[0]));
  after("onConnectionsChange", () => timeline.requestDraw());
  after("onRemoved", () => timeline.close());
  for (const name of ["timeline", "edit", "shift"]) {
    const watched = widgetOf(node, name);
    const before = watched.callback;
    watched.callback = function (...given) {
      before?.apply(this, given);
      timeline.load();
    };
  }
}

class Timeline {
  constructor(node) {
    this.node = node;
    this.panel = buildPanel();
    this.editor = new Editor({
      write: (text) => this._write(text),
      say: (sentence) => this._say(sentence),
      draw: () => this.requestDraw(),
    });
    this.player = new Player({
      tick: () => this._follow(),
      failed: (sentence) => this.editor.page.say(sentence),
      beats: () => this._danced(),
    });
    this._listen();
    this.requestDraw();
  }

  /** As the workflow was saved. */
  restore() {
    const kept = this.node.properties?.[PROPERTY];
    if (kept) this.editor.see(unpacked(kept));
    this.load();
  }

  /** As a run has found it. */
  executed(seen) {
    if (!seen) return;
    this.editor.see(seen);
    const kept = packed(this.editor.remembered());
    keepState(() => (this.node.properties[PROPERTY] = kept));
  }

  /** As the node's text says. */
  load() {
    this.editor.bar = Number(widgetOf(this.node, "meter")?.value) || BAR;
    this.editor.load(String(widgetOf(this.node, "timeline").value ?? ""));
    this.requestDraw();
  }

  /** Readers speak what changes: the same sentence again must differ. */
  _say(sentence) {
    const { said } = this.panel;
    said.textContent = said.textContent === sentence ? `${sentence}\u00a0` : sentence;
  }

  _write(text) {
    keepState(() => (widgetOf(this.node, "timeline").value = text));
    this.node.setDirtyCanvas?.(true, true);
  }

  _listen() {
    const { root, toolbar, buttons, canvas, slider } = this.panel;
    for (const { button, command } of buttons) {
      button.addEventListener("click", () => {
        command.run(this);
        this.requestDraw();
      });
      // A click leaves the focus where the keys work.
      button.addEventListener("mousedown", (event) => {
        event.preventDefault();
        slider.focus({ preventScroll: true });
      });
    }
    slider.addEventListener("input", () => this._walk(Number(slider.value)));
    slider.addEventListener("focus", () => {
      if (this.editor.selected < 0 && this.editor.marks.length) this.editor.select(0);
    });
    root.addEventListener("keydown", (event) => this._key(event, toolbar));
    canvas.addEventListener("wheel", (event) => this._wheel(event), { passive: false });
    attachPointer(canvas, this);
    this._sized = new ResizeObserver(() => this.requestDraw());
    this._sized.observe(this.panel.stage);
    this._themed = new MutationObserver(() => this.requestDraw());
    for (const watched of [document.documentElement, document.body])
      this._themed.observe(watched, { attributes: true, attributeFilter: ["style", "class"] });
  }

  _key(event, toolbar) {
    const onButton = event.target.localName === "button";
    const activates = onButton && (event.key === " " || event.key === "Enter");
    const command = activates ? undefined : commandFor(event);
    if (command) command.run(this);
    else if (!onButton || !rove(toolbar, event)) {
      // The host's letters must not reach it from here; its Ctrl+Enter, Ctrl+S and the like may.
      if (!event.ctrlKey && !event.metaKey && event.key !== "Escape") event.stopPropagation();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.requestDraw();
  }

  _walk(index) {
    this.editor.select(index);
    if (!this.player.playing) this.seek(this.editor.marks[index].time);
  }

  _wheel(event) {
    if (!this.panel.root.contains(document.activeElement)) return forwardWheel(event);
    event.preventDefault();
    event.stopPropagation();
    const { editor } = this;
    const { from, to } = editor.view;
    const across = event.shiftKey ? event.deltaY : event.deltaX;
    if (Math.abs(across) > Math.abs(event.shiftKey ? 0 : event.deltaY))
      editor.view = scroll(editor.view, ((to - from) * across) / 1000, editor.seconds);
    else this.zoom(Math.exp(-event.deltaY / 500), this.timeAt(event));
    this.requestDraw();
  }

  /** The song's second under the pointer. */
  timeAt(event) {
    const { left, width } = this.panel.canvas.getBoundingClientRect();
    return toTime(this.editor.view, event.clientX - left, width);
  }

  /** Seconds that a pixel of the screen stands for. */
  get secondsAPixel() {
    const { from, to } = this.editor.view;
    return (to - from) / this.panel.canvas.getBoundingClientRect().width;
  }

  play() {
    const { editor, player } = this;
    if (player.playing) player.pause();
    else if (!editor.seconds) editor.page.say(t("Run the node first."));
    else {
      const url = songUrl(this.node);
      if (!url) editor.page.say(t("Only a song from a Load audio node can be heard here."));
      player.play(url, editor.seconds);
    }
  }

  toggleClicks() {
    this.player.toggleClicks();
    this.editor.page.say(this.player.clicking ? t("Clicks on.") : t("Clicks off."));
  }

  tap() {
    const { player, editor } = this;
    editor.tap(player.playing ? player.position : performance.now() / 1000);
  }

  seek(time) {
    const { editor } = this;
    editor.position = Math.min(Math.max(time, 0), editor.seconds);
    this.player.position = editor.position;
    this.requestDraw();
  }

  zoom(factor, around = this.editor.position) {
    const { editor } = this;
    const { from, to } = editor.view;
    const fixed = around < from || around > to ? (from + to) / 2 : around;
    editor.view = zoom(editor.view, factor, fixed, editor.seconds);
  }

  fit() {
    this.editor.view = whole(this.editor.seconds);
  }

  _follow() {
    const { editor, player } = this;
    editor.position = player.position;
    if (player.playing) editor.view = showing(editor.view, editor.position, editor.seconds);
    this._draw();
  }

  /** Seconds of the beats that the dance gets. */
  _danced() {
    const edit = widgetOf(this.node, "edit").value;
    return result(this.editor.marks, edit, Number(widgetOf(this.node, "shift").value) || 0);
  }

  requestDraw() {
    this._request ??= requestAnimationFrame(() => this._draw());
  }

  _draw() {
    this._request = undefined;
    const { editor, node, panel } = this;
    editor.locked = isLinked(node, "timeline")
      ? t("The timeline's text comes from outside this node: edit it there.")
      : "";
    this._tell();
    const { clientWidth: width, clientHeight: height } = panel.canvas;
    if (!width || !height) return;
    const shown = panel.canvas.getBoundingClientRect().width / width;
    const ratio = Math.min(4, Math.max(1, shown) * window.devicePixelRatio);
    panel.canvas.width = Math.round(width * ratio);
    panel.canvas.height = Math.round(height * ratio);
    const context = panel.canvas.getContext("2d");
    context.scale(ratio, ratio);
    const { marks, selected, view, seconds, onsets, position } = editor;
    const peaks = this._peaks();
    const scene = { marks, selected, view, seconds, peaks, onsets, position };
    scene.start = danceStart(node);
    scene.result = this._changed() ? this._danced() : null;
    draw(context, { width, height }, scene, colours(panel.root));
  }

  /** The node's peaks; from where each of them would be a block on, finer ones out of the sound. */
  _peaks() {
    const { peaks, seconds } = this.editor;
    if (this.secondsAPixel * peaks.length > seconds || !seconds) return peaks;
    const url = songUrl(this.node);
    const song = `${url} ${seconds}`;
    if (url && this._fine?.song !== song) {
      const fine = (this._fine = { song, peaks: null });
      finePeaks(url, seconds).then((found) => {
        fine.peaks = found;
        this.requestDraw();
      });
    }
    return (this._fine?.song === song && this._fine.peaks) || peaks;
  }

  /** Whether the node's own widgets change the beats. */
  _changed() {
    const edit = widgetOf(this.node, "edit").value;
    return edit !== "as heard" || Number(widgetOf(this.node, "shift").value) !== 0;
  }

  _tell() {
    const { editor, panel } = this;
    let summary = editor.summary();
    if (this._changed() && editor.marks.length)
      summary = t("{0}; edit and shift change them: ▲", summary);
    if (panel.summary.textContent !== summary) panel.summary.textContent = summary;
    panel.slider.max = String(Math.max(0, editor.marks.length - 1));
    panel.slider.value = String(Math.max(0, editor.selected));
    panel.slider.setAttribute("aria-valuetext", editor.describe(editor.selected));
    for (const { button, command } of panel.buttons)
      if (command.pressed) button.setAttribute("aria-pressed", String(command.pressed(this)));
  }

  close() {
    this.player.close();
    this._sized.disconnect();
    this._themed.disconnect();
  }
}
