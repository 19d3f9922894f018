/** The timeline as it is edited, without any page: its state, and what is done to it. */
import { EditedText } from "../shared/edited_text.js";
import * as model from "./state.js";
import { clock, opening, showing, whole } from "./view.js";
import { t } from "./words.js";

/**
 * The node's data of a song.
 * @typedef {{seconds: number, peaks: number[], onsets: number[], heard: boolean, beats: number[],
 *   downbeats: number[], confidence?: number[], assumed?: boolean}} Seen
 */

/** @extends {EditedText<model.Marks>} */
export class Editor extends EditedText {
  constructor(page) {
    super(page);
    /** @type {model.Marks} As the node has tracked them. */
    this.heard = [];
    this.seconds = 0;
    /** @type {number[]} */
    this.peaks = [];
    /** @type {number[]} */
    this.onsets = [];
    this.view = whole(0);
    this.selected = -1;
    this.position = 0;
    /** Seconds of the song that the edited beats were made for. */
    this.madeFor = 0;
    /** @type {number[]} */
    this.taps = [];
    /** Beats a bar where the marks tell of none. */
    this.bar = model.BAR;
    /** Whether the node found no beat, and made up even ones. */
    this.assumed = false;
  }

  /** @returns {model.Marks} */
  get marks() {
    return this.draft ?? this.history.now ?? this.heard;
  }

  parse(text) {
    const saved = model.parse(text, this.bar);
    this.madeFor = saved?.seconds ?? 0;
    if (saved && !this.seconds) this._guessSeconds(saved);
    return saved && saved.marks;
  }

  serialize(marks) {
    this.madeFor = this.seconds;
    return model.serialize({ marks, seconds: this.seconds });
  }

  load(text) {
    if (!super.load(text)) return false;
    this.select(Math.min(this.selected, this.marks.length - 1));
    return true;
  }

  /** Length of the song, as far as edited beats tell before any run. */
  _guessSeconds({ marks, seconds }) {
    this.seconds = seconds || Math.ceil(marks[marks.length - 1]?.time ?? 0);
    this.view = opening(this.seconds);
  }

  /** Take over the data of a run. @param {Seen} seen */
  see(seen) {
    const longer = Math.abs(seen.seconds - this.seconds) > 0.01;
    const other = longer || seen.peaks.some((peak, at) => Math.abs(peak - this.peaks[at]) > 0.01);
    if (longer) this.view = opening(seen.seconds);
    if (seen.heard) {
      this.heard = model.marksOf(seen.beats, seen.downbeats, [], seen.confidence);
      this.assumed = seen.assumed ?? false;
    } else if (other) this.heard = [];
    this.seconds = seen.seconds;
    this.peaks = seen.peaks;
    this.onsets = seen.onsets;
    this.select(Math.min(this.selected, this.marks.length - 1));
    if (this.edited && this.madeFor && Math.abs(this.madeFor - seen.seconds) > 0.1)
      this.page.say(
        t(
          "These beats were set for a song of {0}; this one has {1}. To track it, drop all edits.",
          clock(this.madeFor, 0),
          clock(seen.seconds, 0),
        ),
      );
  }

  /** The data of the last runs that a reload needs, in the form of a run's. @returns {Seen} */
  remembered() {
    const times = (marks) => marks.map((mark) => mark.time);
    return {
      heard: true,
      seconds: this.seconds,
      peaks: this.peaks,
      onsets: this.onsets,
      beats: times(this.heard),
      downbeats: times(this.heard.filter((mark) => mark.down)),
      confidence: this.heard.map((mark) => mark.confidence),
      assumed: this.assumed,
    };
  }

  /** The marks are these now. @param {model.Marks} marks @param {string} sentence */
  edit(marks, sentence, refused = t("Nothing to change.")) {
    this.draft = null;
    if (this.locked) return this.page.say(this.locked);
    const before = this.history.now ?? this.heard;
    if (same(marks, before)) return this.page.say(refused);
    if (model.danced(marks) < model.FEWEST) return this.page.say(few());
    this.commit(marks, sentence);
  }

  /** Back to the beats as the node tracks them. */
  reset() {
    if (this.locked) return this.page.say(this.locked);
    if (!this.edited) return this.page.say(t("These are the beats as heard."));
    const sentence = this.heard.length
      ? t("The beats are as heard.")
      : t("The beats will be heard when the node runs.");
    this.commit(null, sentence);
  }

  arrived(before) {
    const marks = before ?? this.heard;
    if (this.marks.length !== marks.length && this.selected >= 0)
      this.selected = model.nearest(this.marks, marks[this.selected].time);
  }

  /** The beat `index` is the one that is spoken of; -1 is none. */
  select(index) {
    this.selected = index;
    const mark = this.marks[index];
    if (mark) this.view = showing(this.view, mark.time, this.seconds);
    this.page.draw();
  }

  /** Change the selected beat. @param {(marks: model.Marks, index: number) => void} work */
  withSelected(work) {
    if (this.marks[this.selected]) work(this.marks, this.selected);
    else this.page.say(t("Select a beat first, with the arrow keys or the pointer."));
  }

  /** A beat at `time`, or, where there is one already, between it and the next. */
  add(time) {
    const { marks } = this;
    const near = model.nearest(marks, time);
    let at = time;
    if (near >= 0 && Math.abs(marks[near].time - time) < model.GAP) {
      const next = marks[near + 1];
      at = next ? (marks[near].time + next.time) / 2 : time + 60 / (model.tempo(marks) || 120);
    }
    if (at < 0 || at > this.seconds) return this.page.say(t("The song has no such place."));
    const more = model.add(marks, at);
    this.edit(more, t("Beat added at {0}.", clock(at)), t("There is no room for another beat."));
    this.selected = model.nearest(this.marks, at);
    this.page.draw();
  }

  remove() {
    this.withSelected((marks, index) => {
      const sentence = t("Beat at {0} deleted.", clock(marks[index].time));
      this.edit(model.remove(marks, index), sentence, few());
    });
  }

  mute() {
    this.withSelected((marks, index) => {
      const time = clock(marks[index].time);
      const sentence = marks[index].muted
        ? t("Beat at {0} unmuted.", time)
        : t("Beat at {0} muted.", time);
      this.edit(model.mute(marks, index), sentence, few());
    });
  }

  toggleDown() {
    this.withSelected((marks, index) => {
      const time = clock(marks[index].time);
      const sentence = marks[index].down
        ? t("No bar begins at {0}.", time)
        : t("A bar begins at {0}.", time);
      this.edit(model.toggleDown(marks, index), sentence);
    });
  }

  /** Beats a bar. */
  get meter() {
    return model.meterOf(this.marks) || this.bar;
  }

  /** Bars of `by` beats more than now. */
  changeMeter(by) {
    if (this.locked) return this.page.say(this.locked);
    const meter = this.meter + by;
    const [fewest, most] = model.METERS;
    if (meter < fewest || meter > most)
      return this.page.say(t("A bar has {0} to {1} beats.", fewest, most));
    this.bar = meter;
    this._layBars(meter);
  }

  /** All bars as long as most of them are now. */
  layBars() {
    this._layBars(this.meter);
  }

  /** Bars of `meter` beats from the selected beat, else from the first downbeat, on and back. */
  _layBars(meter) {
    const sentence = t("Bars of {0} beats.", meter);
    if (!this.marks.length) return this.page.say(sentence);
    const down = Math.max(
      0,
      this.marks.findIndex((mark) => mark.down),
    );
    const first = this.marks[this.selected] ? this.selected : down;
    this.edit(model.inBars(this.marks, meter, first), sentence);
  }

  /** The selected beat later by `by` seconds. */
  nudge(by) {
    this.withSelected((marks, index) => {
      const moved = model.move(marks, index, marks[index].time + by, this.seconds);
      const sentence = t("Beat at {0}.", clock(moved[index].time));
      this.edit(moved, sentence, t("The next beat is in the way."));
    });
  }

  /** All beats later by `by` seconds. */
  shift(by) {
    const far = Math.round(Math.abs(by) * 1000);
    const sentence =
      by < 0 ? t("All beats {0} ms earlier.", far) : t("All beats {0} ms later.", far);
    this.edit(model.shift(this.marks, by), sentence);
  }

  halve() {
    const marks = model.halve(this.marks);
    this.edit(marks, t("Every other beat: {0} BPM.", model.tempo(marks).toFixed(1)), few());
  }

  double() {
    const marks = model.double(this.marks);
    this.edit(marks, t("Twice the beats: {0} BPM.", model.tempo(marks).toFixed(1)));
  }

  snap() {
    this.withSelected((marks, index) => {
      const moved = model.snap(marks, index, this.onsets, this.seconds);
      this.edit(moved, t("Beat on the sound at {0}.", clock(moved[index].time)), noSound());
    });
  }

  snapAll() {
    const moved = model.snapAll(this.marks, this.onsets, this.seconds);
    const count = moved.filter((mark, index) => mark.time !== this.marks[index].time).length;
    this.edit(moved, t("{0} beats moved onto the nearest sounds.", count), noSound());
  }

  /** A tap at `time` seconds. */
  tap(time) {
    this.taps = [...this.taps.slice(-31), time];
    const found = model.tapped(this.taps);
    this.page.say(
      found
        ? t("Tapped {0} BPM. Press L to lay even beats at this tempo.", found.bpm.toFixed(1))
        : t("Tap on, in time with the song."),
    );
  }

  /** Even beats as tapped. */
  lay() {
    const found = model.tapped(this.taps);
    if (!found) return this.page.say(t("Tap four times or more first, in time with the song."));
    const marks = model.evenly(found.bpm, found.beat, this.seconds, this.meter);
    this.edit(marks, t("Even beats at {0} BPM.", found.bpm.toFixed(1)));
    this.taps = [];
  }

  /** One sentence on the beat `index`, to be read out. */
  describe(index) {
    const mark = this.marks[index];
    if (!mark) return this.marks.length ? t("No beat selected") : t("No beats yet: run the node");
    const sentence = this._placeOf(mark, [index + 1, this.marks.length, mark.time.toFixed(2)]);
    if (mark.confidence >= 1) return sentence;
    return t("{0}, {1} % certain", sentence, Math.round(mark.confidence * 100));
  }

  _placeOf(mark, facts) {
    if (mark.down && mark.muted)
      return t("Beat {0} of {1}, {2} seconds, a bar begins, muted", ...facts);
    if (mark.down) return t("Beat {0} of {1}, {2} seconds, a bar begins", ...facts);
    if (mark.muted) return t("Beat {0} of {1}, {2} seconds, muted", ...facts);
    return t("Beat {0} of {1}, {2} seconds", ...facts);
  }

  /** One line on all beats. */
  summary() {
    if (!this.marks.length) return t("Run the node to see the song and its beats.");
    const facts = [model.danced(this.marks), model.tempo(this.marks).toFixed(1)];
    if (this.assumed && !this.edited)
      return t("No beat was found: {0} even beats, {1} BPM", ...facts);
    const meter = model.meterOf(this.marks);
    if (meter)
      return this.edited
        ? t("{0} beats, {1} BPM, {2} a bar, edited", ...facts, meter)
        : t("{0} beats, {1} BPM, {2} a bar, as heard", ...facts, meter);
    return this.edited
      ? t("{0} beats, {1} BPM, edited", ...facts)
      : t("{0} beats, {1} BPM, as heard", ...facts);
  }
}

const few = () => t("Two beats must remain.");
const noSound = () => t("No sound begins near it.");

const same = (one, other) =>
  one.length === other.length &&
  one.every(
    (mark, index) =>
      mark.time === other[index].time &&
      mark.down === other[index].down &&
      mark.muted === other[index].muted,
  );
