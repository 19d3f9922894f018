/** The pointer on the picture: grasp a beat and drag it, point at the song, scroll, add a beat. */
import { move, nearest, shift } from "./state.js";
import { clock, scroll } from "./view.js";
import { t } from "./words.js";

/** Pixels within which a beat is grasped, and within which a press is no drag. */
const REACH = 6;
const STILL = 3;

/** @param {HTMLCanvasElement} canvas @param {any} timeline that of `widget.js` */
export function attachPointer(canvas, timeline) {
  const { editor } = timeline;
  /** @type {any} What is going on between press and release. */
  let held = null;

  const grasped = (event) => {
    const time = timeline.timeAt(event);
    const index = nearest(editor.marks, time);
    const reach = REACH * timeline.secondsAPixel;
    return index >= 0 && Math.abs(editor.marks[index].time - time) <= reach ? index : -1;
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    // Before the focus, which may scroll to the first beat.
    const [index, time] = [grasped(event), timeline.timeAt(event)];
    timeline.panel.slider.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    if (index >= 0) editor.select(index);
    held = {
      index,
      x: event.clientX,
      time,
      marks: editor.marks,
      view: editor.view,
      scale: timeline.secondsAPixel,
      all: event.shiftKey,
      moved: false,
    };
  });

  canvas.addEventListener("pointermove", (event) => {
    if (!held) {
      canvas.style.cursor = grasped(event) >= 0 ? "ew-resize" : "default";
      return;
    }
    const by = (event.clientX - held.x) * held.scale;
    held.moved ||= Math.abs(event.clientX - held.x) > STILL;
    if (!held.moved) return;
    if (held.index < 0) editor.view = scroll(held.view, -by, editor.seconds);
    else if (!editor.locked) editor.draft = dragged(held, by);
    timeline.requestDraw();
  });

  canvas.addEventListener("pointerup", () => {
    if (!held) return;
    const { index, moved, time } = held;
    held = null;
    if (index < 0) {
      if (!moved) timeline.seek(time);
      return;
    }
    if (!moved) return timeline.seek(editor.marks[index].time);
    const marks = editor.marks;
    editor.edit(marks, t("Beat at {0}.", clock(marks[index].time)));
  });

  canvas.addEventListener("pointercancel", () => {
    held = null;
    editor.draft = null;
    timeline.requestDraw();
  });

  canvas.addEventListener("dblclick", (event) => {
    if (grasped(event) < 0) editor.add(timeline.timeAt(event));
  });

  /** The marks with what is held `by` seconds later. */
  function dragged({ index, marks, all }, by) {
    return all ? shift(marks, by) : move(marks, index, marks[index].time + by, editor.seconds);
  }
}
