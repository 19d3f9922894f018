/** Commands of an editor, each with its button or menu item and its keys. */

/**
 * @typedef {{title: string, keys: string[], row?: boolean, label?: string, repeats?: boolean,
 *   run: (editor: any, event?: KeyboardEvent) => void, pressed?: (editor: any) => boolean}} Command
 *   `run` and `pressed` get the `NodeEditor`, and `run` the key, if any; `pressed` tells of a
 *   switch whether it is on. A command with `row` has a button with its label while there is room
 *   for it; all others are in the menu, which stays open after one that `repeats`.
 * @typedef {{heading: string, commands: Command[]}} Group
 */

/** @type {Command[]} */
export const HISTORY = [
  { label: "Undo", title: "Undo", keys: ["Ctrl+Z"], row: true, run: ({ model }) => model.undo() },
  {
    label: "Redo",
    title: "Redo",
    keys: ["Ctrl+Y", "Ctrl+Shift+Z"],
    row: true,
    run: ({ model }) => model.redo(),
  },
];

/** @type {Command[]} */
export const ZOOM = [
  { label: "−", title: "Zoom out", keys: ["-"], row: true, run: (editor) => editor.zoom(1 / 1.5) },
  { label: "+", title: "Zoom in", keys: ["+", "="], row: true, run: (editor) => editor.zoom(1.5) },
];

/** Name of a key event as in `keys`; empty with Alt, which belongs to the browser. */
export function keyName(event) {
  if (event.altKey) return "";
  const key = event.key === " " ? "Space" : event.key;
  const name = key.length === 1 ? key.toUpperCase() : key;
  // Whether a sign needs Shift depends on the keyboard.
  const shift = event.shiftKey && (name.length > 1 || /\p{L}/u.test(name));
  const control = event.ctrlKey || event.metaKey;
  return (control ? "Ctrl+" : "") + (shift ? "Shift+" : "") + name;
}

/** @param {Group[]} groups @returns {Command | undefined} */
export const commandFor = (groups, event) =>
  groups.flatMap(({ commands }) => commands).find(({ keys }) => keys.includes(keyName(event)));
