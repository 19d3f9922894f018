/** Commands of the rig editor, each with its button or menu item and its keys. */
import { HISTORY, ZOOM } from "../shared/commands.js";

/** Steps of an arrow key with Shift. */
const FAR = 10;

const nudge =
  (x, y) =>
  ({ model }, event) =>
    model.nudge(...[x, y].map((by) => by * (event?.shiftKey ? FAR : 1)));

const toggle = (limb) => ({
  keys: [],
  run: ({ model }) => model.toggle(limb),
  pressed: ({ model }) => model.has(limb),
});

/** @type {import("../shared/commands.js").Group[]} */
export const GROUPS = [
  {
    heading: "Edits",
    commands: [
      ...HISTORY,
      {
        label: "Reset",
        title: "Reset to the joints as found",
        keys: [],
        row: true,
        run: ({ model }) => model.reset(),
      },
      { title: "Fit the edits to this picture", keys: [], run: ({ model }) => model.fit() },
    ],
  },
  {
    heading: "One joint",
    commands: [
      {
        label: "Add",
        title: "Add the selected grey joint",
        keys: ["A", "Insert"],
        row: true,
        run: ({ model }) => model.add(),
      },
      {
        label: "Remove",
        title: "Remove the selected joint and the limb beyond it",
        keys: ["Delete", "Backspace"],
        row: true,
        run: ({ model }) => model.remove(),
      },
      {
        title: "Move left, with Shift further",
        keys: ["ArrowLeft", "Shift+ArrowLeft"],
        repeats: true,
        run: nudge(-1, 0),
      },
      {
        title: "Move right, with Shift further",
        keys: ["ArrowRight", "Shift+ArrowRight"],
        repeats: true,
        run: nudge(1, 0),
      },
      {
        title: "Move up, with Shift further",
        keys: ["ArrowUp", "Shift+ArrowUp"],
        repeats: true,
        run: nudge(0, -1),
      },
      {
        title: "Move down, with Shift further",
        keys: ["ArrowDown", "Shift+ArrowDown"],
        repeats: true,
        run: nudge(0, 1),
      },
      {
        title: "Select the previous joint",
        keys: ["PageUp"],
        repeats: true,
        run: ({ model }) => model.step(-1),
      },
      {
        title: "Select the next joint",
        keys: ["PageDown"],
        repeats: true,
        run: ({ model }) => model.step(1),
      },
    ],
  },
  {
    heading: "Right and left of the character",
    commands: [
      {
        label: "Mirror",
        title: "Mirror the selected arm or leg to the other side",
        keys: ["M"],
        row: true,
        run: ({ model }) => model.mirror(),
      },
      { title: "Exchange right and left", keys: ["X"], run: ({ model }) => model.swap() },
    ],
  },
  {
    heading: "Limbs",
    commands: [
      { title: "Head", ...toggle("head") },
      { title: "Right arm", ...toggle("right_arm") },
      { title: "Left arm", ...toggle("left_arm") },
      { title: "Right leg", ...toggle("right_leg") },
      { title: "Left leg", ...toggle("left_leg") },
    ],
  },
  {
    heading: "View",
    commands: [
      ...ZOOM,
      {
        label: "Fit",
        title: "See the whole picture",
        keys: ["0"],
        row: true,
        run: (editor) => editor.fit(),
      },
    ],
  },
];
