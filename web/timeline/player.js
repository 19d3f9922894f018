/** The song's sound, with clicks on its beats; a silent clock where the song cannot be reached. */
import { t } from "./words.js";

/** Seconds ahead for which clicks are set: more than passes between two frames of a busy page. */
const AHEAD = 0.15;

export class Player {
  /**
   * @param {{tick: () => void, failed: (sentence: string) => void, beats: () => number[]}} page
   *   `tick` is called on every frame while it plays; `beats` gives the seconds that click.
   */
  constructor(page) {
    this.page = page;
    this.audio = new Audio();
    this.audio.preload = "none";
    this.playing = false;
    this.clicking = false;
    this.seconds = 0;
    this._url = "";
    this._from = 0;
    this._began = 0;
  }

  /** Seconds of the song. */
  get position() {
    if (!this.playing) return this._from;
    if (this._url) return this.audio.currentTime;
    return this._from + (performance.now() - this._began) / 1000;
  }

  set position(time) {
    this._from = time;
    this._began = performance.now();
    this._clicked = time;
    if (this.playing && this._url) this.audio.currentTime = time;
  }

  /** Play from where it is. @param {string} url of the song; empty plays the clicks alone. */
  async play(url, seconds) {
    if (url && url !== this._url) this.audio.src = url;
    this._url = url;
    this.seconds = seconds;
    this.playing = true;
    this.position = this._from < seconds - 0.05 ? this._from : 0;
    this._frame();
    if (!url) return;
    try {
      await this.audio.play();
    } catch (error) {
      if (error.name === "AbortError") return;
      this._from = this.position;
      this._began = performance.now();
      this._url = "";
      this.page.failed(t("The song cannot be played here; only the clicks are heard."));
    }
  }

  /** Clicks are heard from now on, or no longer. To be called where somebody has pressed a key. */
  toggleClicks() {
    this._context ??= new AudioContext();
    this.clicking = !this.clicking;
    this._clicked = this.position;
  }

  pause() {
    this._from = this.position;
    this.playing = false;
    this.audio.pause();
    cancelAnimationFrame(this._request);
  }

  _frame() {
    if (!this.playing) return;
    if (this.position >= this.seconds || (this._url && this.audio.ended)) {
      this.pause();
      this._from = 0;
    }
    if (this.playing && this.clicking) this._click(this.position);
    this.page.tick();
    if (this.playing) this._request = requestAnimationFrame(() => this._frame());
  }

  /** Set the clicks of the beats that come next. */
  _click(now) {
    const due = this.page.beats().filter((beat) => beat > this._clicked && beat <= now + AHEAD);
    for (const beat of due) {
      const at = this._context.currentTime + Math.max(0, beat - now);
      const sound = this._context.createOscillator();
      const volume = this._context.createGain();
      sound.frequency.value = 1500;
      volume.gain.setValueAtTime(0.4, at);
      volume.gain.exponentialRampToValueAtTime(0.001, at + 0.05);
      sound.connect(volume).connect(this._context.destination);
      sound.start(at);
      sound.stop(at + 0.06);
    }
    this._clicked = Math.max(this._clicked, now + AHEAD);
  }

  /** No sound any more. */
  close() {
    if (this.playing) this.pause();
    this.audio.removeAttribute("src");
    this._context?.close();
  }
}
