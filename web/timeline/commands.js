/** Everything that can be asked of the timeline, each with its button and its keys. */

const STEP = 0.01;

/**
 * @typedef {{label: string, title: string, keys: string[], run: (timeline: any) => void,
 *   pressed?: (timeline: any) => boolean}} Command
 *   `run` gets the timeline of `widget.js`; `pressed` says of a switch whether it is on.
 */

/** Groups of buttons, in order. @type {Command[][]} */
export const GROUPS = [
  [
    {
      label: "Play",
      title: "Play or pause the song",
      keys: ["Space"],
      run: (timeline) => timeline.play(),
      pressed: (timeline) => timeline.player.playing,
    },
    {
      label: "Clicks",
      title: "Click on every beat while playing",
      keys: ["C"],
      run: (timeline) => timeline.toggleClicks(),
      pressed: (timeline) => timeline.player.clicking,
    },
  ],
  [
    { label: "Undo", title: "Undo", keys: ["Ctrl+Z"], run: ({ editor }) => editor.undo() },
    {
      label: "Redo",
      title: "Redo",
      keys: ["Ctrl+Y", "Ctrl+Shift+Z"],
      run: ({ editor }) => editor.redo(),
    },
    {
      label: "As heard",
      title: "Drop all edits: the beats are as the node hears them",
      keys: [],
      run: ({ editor }) => editor.reset(),
    },
  ],
  [
    {
      label: "Add",
      title: "Add a beat at the playhead",
      keys: ["A", "Insert"],
      run: ({ editor }) => editor.add(editor.position),
    },
    {
      label: "Delete",
      title: "Delete the selected beat",
      keys: ["Delete", "Backspace"],
      run: ({ editor }) => editor.remove(),
    },
    {
      label: "Mute",
      title: "Mute the selected beat, or hear it again",
      keys: ["M"],
      run: ({ editor }) => editor.mute(),
    },
    {
      label: "Bar",
      title: "A bar begins at the selected beat, or no longer",
      keys: ["B"],
      run: ({ editor }) => editor.toggleDown(),
    },
    {
      label: "Snap",
      title: "Move the selected beat onto the nearest sound",
      keys: ["S"],
      run: ({ editor }) => editor.snap(),
    },
    {
      label: "◂ Beat",
      title: "Move the selected beat 10 ms earlier",
      keys: ["Shift+ArrowLeft"],
      run: ({ editor }) => editor.nudge(-STEP),
    },
    {
      label: "Beat ▸",
      title: "Move the selected beat 10 ms later",
      keys: ["Shift+ArrowRight"],
      run: ({ editor }) => editor.nudge(STEP),
    },
  ],
  [
    {
      label: "◂ All",
      title: "Move all beats 10 ms earlier",
      keys: [","],
      run: ({ editor }) => editor.shift(-STEP),
    },
    {
      label: "All ▸",
      title: "Move all beats 10 ms later",
      keys: ["."],
      run: ({ editor }) => editor.shift(STEP),
    },
    { label: "½", title: "Every other beat", keys: ["H"], run: ({ editor }) => editor.halve() },
    {
      label: "×2",
      title: "One more beat between any two",
      keys: ["D"],
      run: ({ editor }) => editor.double(),
    },
    {
      label: "Snap all",
      title: "Move all beats onto their nearest sounds",
      keys: ["Shift+S"],
      run: ({ editor }) => editor.snapAll(),
    },
  ],
  [
    {
      label: "◂ Meter",
      title: "One beat a bar less",
      keys: ["Shift+ArrowDown"],
      run: ({ editor }) => editor.changeMeter(-1),
    },
    {
      label: "Meter ▸",
      title: "One beat a bar more",
      keys: ["Shift+ArrowUp"],
      run: ({ editor }) => editor.changeMeter(1),
    },
    {
      label: "Bars",
      title: "Equal bars, one of which begins at the selected beat",
      keys: ["Shift+B"],
      run: ({ editor }) => editor.layBars(),
    },
  ],
  [
    {
      label: "Tap",
      title: "Tap the tempo, in time with the song",
      keys: ["T"],
      run: (timeline) => timeline.tap(),
    },
    {
      label: "Lay",
      title: "Lay even beats at the tapped tempo",
      keys: ["L"],
      run: ({ editor }) => editor.lay(),
    },
  ],
  [
    { label: "−", title: "Zoom out", keys: ["-"], run: (timeline) => timeline.zoom(1 / 1.5) },
    { label: "+", title: "Zoom in", keys: ["+", "="], run: (timeline) => timeline.zoom(1.5) },
    { label: "Fit", title: "See the whole song", keys: ["0"], run: (timeline) => timeline.fit() },
  ],
];

/** What a key event is called in `keys`; empty with Alt, which belongs to the browser. */
export function keyName(event) {
  if (event.altKey) return "";
  const key = event.key === " " ? "Space" : event.key;
  const name = key.length === 1 ? key.toUpperCase() : key;
  // Where a sign needs Shift is the keyboard's affair.
  const shift = event.shiftKey && (name.length > 1 || /\p{L}/u.test(name));
  const control = event.ctrlKey || event.metaKey;
  return (control ? "Ctrl+" : "") + (shift ? "Shift+" : "") + name;
}

/** @returns {Command | undefined} */
export const commandFor = (event) =>
  GROUPS.flat().find((command) => command.keys.includes(keyName(event)));
