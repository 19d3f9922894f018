/** The pointer on the timeline: drag a beat or all, point at the song, scroll, add a beat. */
import { attachPointer } from "../shared/pointer.js";
import { move, nearest, shift } from "./state.js";
import { centred, clock, scroll, toTime, whole } from "./view.js";
import { t } from "./words.js";

/** Pixels within which a beat is grasped. */
const REACH = 6;

/** @param {import("./widget.js").Timeline} timeline */
export function attachBeats(timeline) {
  const { model, panel } = timeline;

  const grasped = (event) => {
    const time = timeline.timeAt(event);
    const index = nearest(model.marks, time);
    const reach = REACH * timeline.secondsAPixel;
    return index >= 0 && Math.abs(model.marks[index].time - time) <= reach ? index : -1;
  };

  attachPointer(panel.canvas, {
    press(event) {
      // Before the focus, which may scroll to the first beat.
      const [index, time] = [grasped(event), timeline.timeAt(event)];
      const { view, marks } = model;
      timeline.focus();
      if (index >= 0) model.select(index);
      return { index, time, marks, view, scale: timeline.secondsAPixel, all: event.shiftKey };
    },
    cursor: (event) => (grasped(event) >= 0 ? "ew-resize" : "default"),
    drag({ index, view, scale, marks, all }, _, { x }) {
      const by = x * scale;
      if (index < 0) model.view = scroll(view, -by, model.seconds);
      else if (!model.locked)
        model.draft = all
          ? shift(marks, by)
          : move(marks, index, marks[index].time + by, model.seconds);
      timeline.requestDraw();
    },
    drop({ index }) {
      const { marks } = model;
      if (index >= 0) model.edit(marks, t("Beat at {0}.", clock(marks[index].time)));
    },
    click({ index, time }) {
      timeline.seek(index < 0 ? time : model.marks[index].time);
    },
    cancel() {
      model.draft = null;
      timeline.requestDraw();
    },
  });

  panel.canvas.addEventListener("dblclick", (event) => {
    if (grasped(event) < 0) model.add(timeline.timeAt(event));
  });
}

/** The pointer on the overview of the song: move what is seen. */
export function attachOverview(canvas, timeline) {
  const { model } = timeline;
  const timeAt = (event) => {
    const { left, width } = canvas.getBoundingClientRect();
    return toTime(whole(model.seconds), event.clientX - left, width);
  };
  const inside = (time) => time >= model.view.from && time <= model.view.to;
  attachPointer(canvas, {
    press(event) {
      timeline.focus();
      const time = timeAt(event);
      if (!inside(time)) model.view = centred(model.view, time, model.seconds);
      timeline.requestDraw();
      return { view: model.view, time };
    },
    cursor: (event) => (inside(timeAt(event)) ? "grab" : "pointer"),
    drag({ view, time }, event) {
      model.view = scroll(view, timeAt(event) - time, model.seconds);
      timeline.requestDraw();
    },
    drop() {},
    click() {},
    cancel() {},
  });
}
