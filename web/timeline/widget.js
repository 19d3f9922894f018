/** The beat timeline on its node. */
import { colours, sharpContext } from "../shared/draw.js";
import { element } from "../shared/elements.js";
import { language, widgetOf } from "../shared/host.js";
import { mountEditor } from "../shared/mount.js";
import { NodeEditor } from "../shared/node_editor.js";
import { addStyle, buildPanel } from "../shared/panel.js";
import { speak } from "../shared/words.js";
import { GROUPS } from "./commands.js";
import { draw, drawOverview } from "./draw.js";
import { Editor } from "./editor.js";
import { finePeaks } from "./finer.js";
import { changeNote, changes } from "./notes.js";
import { Player } from "./player.js";
import { attachBeats, attachOverview } from "./pointer.js";
import { packed, unpacked } from "./remember.js";
import { danceStart, songUrl } from "./song.js";
import { BAR, result } from "./state.js";
import { scroll, showing, toTime, whole, zoom } from "./view.js";
import { t } from "./words.js";

const SIZE = { width: 480, height: 280 };
const PROPERTY = "musedance_timeline";
/** Names of colours in the drawing, and in the style sheet. */
const COLOURS = {
  ...{ paper: "paper", ink: "ink", faint: "faint", beat: "blue", down: "orange" },
  ...{ playhead: "green", result: "violet" },
};

/** Give a Beats node its timeline. */
export function addBeatTimeline(node) {
  addStyle();
  speak(language());
  const watched = ["edit", "shift", "meter"];
  mountEditor(node, new Timeline(node), { name: "beat_timeline", ...SIZE, watched });
}

const build = () =>
  buildPanel({
    groups: GROUPS,
    translate: t,
    className: "beat-timeline",
    label: t("Beat timeline"),
    editing: t("Beat editing"),
    items: t("Beats"),
    hint: t(
      "Drag a beat to move it, with Shift to move all. Double-click to add one. The wheel zooms.",
    ),
    help: [
      t("Arrow keys choose a beat, Shift and arrow keys move it."),
      t("Delete deletes it, M mutes it, A adds one, Space plays, Control Z undoes."),
      t("The menu More has all other commands."),
    ].join(" "),
  });

/** @extends {NodeEditor} */
export class Timeline extends NodeEditor {
  constructor(node) {
    super(node, "timeline", build(), GROUPS);
    this.model = new Editor(this.page);
    this.player = new Player({
      tick: () => this._follow(),
      failed: (sentence) => this.say(sentence),
      beats: () => this._danced(),
    });
    const { panel } = this;
    this.overview = element("canvas", { className: "musedance-overview" });
    this.overview.setAttribute("aria-hidden", "true");
    panel.stage.after(this.overview);
    attachBeats(this);
    attachOverview(this.overview, this);
    panel.slider.addEventListener("focus", () => {
      if (this.model.selected < 0 && this.model.marks.length) this.model.select(0);
    });
  }

  /** The state that the workflow has saved. */
  restore() {
    const saved = this.node.properties?.[PROPERTY];
    if (saved) this.model.see(unpacked(saved));
    this.load();
  }

  /** The outputs of a run. */
  executed({ musedance_timeline: [seen] = [] }) {
    if (!seen) return;
    this.model.see(seen);
    this.remember();
  }

  store() {
    if (this.model.seconds) this.node.properties[PROPERTY] = packed(this.model.remembered());
  }

  load() {
    this.model.bar = Number(widgetOf(this.node, "meter")?.value) || BAR;
    super.load();
  }

  lockedSentence() {
    return t("The timeline's text comes from outside this node: edit it there.");
  }

  choose(index) {
    this.model.select(index);
    if (!this.player.playing) this.seek(this.model.marks[index].time);
  }

  /** Second of the song under the pointer. */
  timeAt(event) {
    const { left, width } = this.panel.canvas.getBoundingClientRect();
    return toTime(this.model.view, event.clientX - left, width);
  }

  /** Seconds in a pixel of the screen. */
  get secondsAPixel() {
    const { from, to } = this.model.view;
    return (to - from) / this.panel.canvas.getBoundingClientRect().width;
  }

  play() {
    const { model, player } = this;
    if (player.playing) player.pause();
    else if (!model.seconds) this.say(t("Run the node first."));
    else {
      const url = songUrl(this.node);
      if (!url) this.say(t("Only a song from a Load audio node can be heard here."));
      player.play(url, model.seconds);
    }
  }

  toggleClicks() {
    this.player.toggleClicks();
    this.say(this.player.clicking ? t("Clicks on.") : t("Clicks off."));
  }

  tap() {
    const { player } = this;
    this.model.tap(player.playing ? player.position : performance.now() / 1000);
  }

  seek(time) {
    const { model } = this;
    model.position = Math.min(Math.max(time, 0), model.seconds);
    this.player.position = model.position;
    this.requestDraw();
  }

  /** Zoom around the pointer of `event`, else around the playhead. */
  zoom(factor, event) {
    const { model } = this;
    const { from, to } = model.view;
    const around = event ? this.timeAt(event) : model.position;
    const fixed = around < from || around > to ? (from + to) / 2 : around;
    model.view = zoom(model.view, factor, fixed, model.seconds);
  }

  /** Scroll by so many pixels of a wheel. */
  scroll(pixels) {
    this.turn(pixels / 1000);
  }

  /** Scroll by this share of what is seen. */
  turn(share) {
    const { model } = this;
    model.view = scroll(model.view, (model.view.to - model.view.from) * share, model.seconds);
  }

  fit() {
    this.model.view = whole(this.model.seconds);
  }

  _follow() {
    const { model, player } = this;
    model.position = player.position;
    if (player.playing) model.view = showing(model.view, model.position, model.seconds);
    this.draw();
  }

  /** The node's own changes to the beats. */
  get _settings() {
    const value = (name) => widgetOf(this.node, name).value;
    return { edit: value("edit"), shift: Number(value("shift")) || 0 };
  }

  /** Seconds of the beats that the dance gets. */
  _danced() {
    const { edit, shift } = this._settings;
    return result(this.model.marks, edit, shift);
  }

  paint(context, size) {
    const { marks, selected, view, seconds, onsets, position } = this.model;
    const scene = { marks, selected, view, seconds, onsets, position, peaks: this._peaks() };
    scene.start = danceStart(this.node);
    scene.result = changes(this._settings) ? this._danced() : null;
    const colour = colours(this.panel.root, COLOURS);
    draw(context, size, scene, colour);
    const overview = sharpContext(this.overview);
    if (overview)
      drawOverview(overview.context, overview.size, { ...scene, peaks: this.model.peaks }, colour);
  }

  /** The node's peaks; from where each of them would be a block on, finer ones out of the sound. */
  _peaks() {
    const { peaks, seconds } = this.model;
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

  describe() {
    const { model } = this;
    return {
      summary: model.summary(),
      note: model.marks.length ? changeNote(model.marks, this._settings, this._danced()) : "",
      item: model.selected,
      items: model.marks.length,
      itemText: model.describe(model.selected),
    };
  }

  close() {
    this.player.close();
    super.close();
  }
}
