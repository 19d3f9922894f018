/** Commands of the timeline, each with its button or menu item and its keys. */
import { HISTORY, ZOOM } from "../shared/commands.js";

/** Seconds of one step of a beat. */
const STEP = 0.01;
/** Share of what is seen that a scroll moves by. */
const PAGE = 0.8;

/** @type {import("../shared/commands.js").Group[]} */
export const GROUPS = [
  {
    heading: "Playing",
    commands: [
      {
        label: "Play",
        title: "Play or pause the song",
        keys: ["Space"],
        row: true,
        run: (timeline) => timeline.play(),
        pressed: (timeline) => timeline.player.playing,
      },
      {
        title: "Click on every beat while playing",
        keys: ["C"],
        run: (timeline) => timeline.toggleClicks(),
        pressed: (timeline) => timeline.player.clicking,
      },
    ],
  },
  {
    heading: "Edits",
    commands: [
      ...HISTORY,
      { title: "As heard: drop all edits", keys: [], run: ({ model }) => model.reset() },
    ],
  },
  {
    heading: "One beat",
    commands: [
      {
        label: "Add",
        title: "Add a beat at the playhead",
        keys: ["A", "Insert"],
        row: true,
        run: ({ model }) => model.add(model.position),
      },
      {
        label: "Delete",
        title: "Delete the selected beat",
        keys: ["Delete", "Backspace"],
        row: true,
        run: ({ model }) => model.remove(),
      },
      {
        label: "Mute",
        title: "Mute or unmute the selected beat",
        keys: ["M"],
        row: true,
        run: ({ model }) => model.mute(),
      },
      {
        title: "Begin a bar at the selected beat, or no longer",
        keys: ["B"],
        run: ({ model }) => model.toggleDown(),
      },
      {
        title: "Move the selected beat onto the nearest sound",
        keys: ["S"],
        run: ({ model }) => model.snap(),
      },
      {
        title: "Move the selected beat 10 ms earlier",
        keys: ["Shift+ArrowLeft"],
        repeats: true,
        run: ({ model }) => model.nudge(-STEP),
      },
      {
        title: "Move the selected beat 10 ms later",
        keys: ["Shift+ArrowRight"],
        repeats: true,
        run: ({ model }) => model.nudge(STEP),
      },
    ],
  },
  {
    heading: "All beats",
    commands: [
      {
        title: "Move all beats 10 ms earlier",
        keys: [","],
        repeats: true,
        run: ({ model }) => model.shift(-STEP),
      },
      {
        title: "Move all beats 10 ms later",
        keys: ["."],
        repeats: true,
        run: ({ model }) => model.shift(STEP),
      },
      { title: "Halve: every other beat", keys: ["H"], run: ({ model }) => model.halve() },
      {
        title: "Double: one more beat between any two",
        keys: ["D"],
        run: ({ model }) => model.double(),
      },
      {
        title: "Move all beats onto their nearest sounds",
        keys: ["Shift+S"],
        run: ({ model }) => model.snapAll(),
      },
    ],
  },
  {
    heading: "Meter",
    commands: [
      {
        title: "One beat a bar less",
        keys: ["Shift+ArrowDown"],
        repeats: true,
        run: ({ model }) => model.changeMeter(-1),
      },
      {
        title: "One beat a bar more",
        keys: ["Shift+ArrowUp"],
        repeats: true,
        run: ({ model }) => model.changeMeter(1),
      },
      {
        title: "Equal bars, one of which begins at the selected beat",
        keys: ["Shift+B"],
        run: ({ model }) => model.layBars(),
      },
    ],
  },
  {
    heading: "Tempo",
    commands: [
      {
        title: "Tap the tempo, in time with the song",
        keys: ["T"],
        repeats: true,
        run: (timeline) => timeline.tap(),
      },
      {
        title: "Lay even beats at the tapped tempo",
        keys: ["L"],
        run: ({ model }) => model.lay(),
      },
    ],
  },
  {
    heading: "View",
    commands: [
      ...ZOOM,
      {
        label: "Fit",
        title: "See the whole song",
        keys: ["0"],
        row: true,
        run: (timeline) => timeline.fit(),
      },
      {
        title: "Scroll to earlier beats",
        keys: ["PageUp"],
        repeats: true,
        run: (timeline) => timeline.turn(-PAGE),
      },
      {
        title: "Scroll to later beats",
        keys: ["PageDown"],
        repeats: true,
        run: (timeline) => timeline.turn(PAGE),
      },
    ],
  },
];
