/** Elements of an editor: a row of buttons with a menu, the canvas, the slider, lines of text. */
import { ariaKeys, element, keyNames } from "./elements.js";
import { buildMenu } from "./menu.js";
import { t } from "./words.js";

const STYLE = new URL("./editor.css", import.meta.url).href;

/** Add the style sheet to the page. Inside a node it would load anew whenever the node moves. */
export function addStyle() {
  if (document.querySelector(`link[href="${STYLE}"]`)) return;
  document.head.append(element("link", { rel: "stylesheet", href: STYLE }));
}

/**
 * The panel of an editor, not yet in the page.
 *
 * The canvas is not for screen readers. Its items are reached by a slider whose value is an item's
 * number, read out by `aria-valuetext`; being an input, it also keeps the host's own keys away.
 *
 * @param {{groups: import("./commands.js").Group[], translate: (sentence: string) => string,
 *   className: string, label: string, editing: string, items: string, hint: string,
 *   help: string}} options
 *   `hint` tells what the pointer does. `label`, `editing`, `items` and `help` are for screen
 *   readers: names of the panel, its buttons and its slider, and the use of the keys.
 */
export function buildPanel(options) {
  const { groups, translate, className, label, editing, items, hint, help } = options;
  const rows = groups
    .map(({ commands }) => commands.filter((command) => command.row))
    .filter((commands) => commands.length)
    .map((commands) =>
      commands.map((command) => ({ button: buttonOf(command, translate), command })),
    );
  const row = element(
    "div",
    { className: "musedance-row" },
    rows.map((buttons) =>
      element("span", { className: "musedance-group" }, buttons.map(({ button }) => button)),
    ),
  );
  const menu = buildMenu(groups, translate, hint);
  const toolbar = element("div", { className: "musedance-toolbar" }, [row, menu.button]);
  toolbar.setAttribute("role", "toolbar");
  toolbar.setAttribute("aria-label", editing);
  rows[0][0].button.tabIndex = 0;

  const canvas = element("canvas");
  canvas.setAttribute("aria-hidden", "true");
  const slider = element("input", { type: "range", min: "0", max: "0", step: "1" });
  slider.setAttribute("aria-label", items);
  slider.setAttribute("aria-description", help);
  const stage = element("div", { className: "musedance-stage" }, [canvas, slider]);

  const status = element("output", { className: "musedance-status" });
  status.setAttribute("role", "status");
  status.setAttribute("aria-live", "polite");
  const summary = element("div", { className: "musedance-summary" });
  const note = element("div", { className: "musedance-note" });
  const lines = element("div", { className: "musedance-lines" }, [summary, note, status]);

  const root = element("div", { className: `musedance-editor ${className}` });
  root.append(toolbar, stage, lines, menu.list);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", label);
  root.dataset.captureWheel = "true";
  const buttons = [...rows.flat(), ...menu.items];
  return { root, toolbar, row, menu, buttons, stage, canvas, slider, summary, note, status };
}

/** @param {import("./commands.js").Command} command */
function buttonOf(command, translate) {
  const label = translate(command.label);
  const title = translate(command.title);
  const keys = keyNames(command.keys);
  const button = element("button", {
    type: "button",
    textContent: label,
    title: keys ? t("{0} ({1})", title, keys) : title,
    tabIndex: -1,
  });
  // Screen readers do not read signs well.
  if (!/\p{L}{2}/u.test(label)) button.setAttribute("aria-label", title);
  if (keys) button.setAttribute("aria-keyshortcuts", ariaKeys(command.keys));
  if (command.pressed) button.setAttribute("aria-pressed", "false");
  return button;
}

/** Hide the buttons that have wrapped to another row, and show their commands in the menu. */
export function fitRow({ row, menu, buttons }) {
  const top = row.querySelector("button").offsetTop;
  const wrapped = new Set();
  for (const { button, command } of buttons) {
    if (!row.contains(button)) continue;
    const out = button.offsetTop > top;
    button.style.visibility = out ? "hidden" : "";
    if (out) wrapped.add(command);
  }
  for (const { button, command } of menu.items)
    button.hidden = Boolean(command.row) && !wrapped.has(command);
}

/** One stop for the Tab key; arrows go from button to button. Returns whether `event` did so. */
export function rove(toolbar, event) {
  const all = [...toolbar.querySelectorAll("button")].filter(
    (button) => getComputedStyle(button).visibility !== "hidden",
  );
  const at = all.indexOf(document.activeElement);
  const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 };
  if (at < 0 || event.shiftKey || !(event.key in steps)) return false;
  const next = all[(steps[event.key] + all.length) % all.length];
  for (const button of toolbar.querySelectorAll("button"))
    button.tabIndex = button === next ? 0 : -1;
  next.focus();
  return true;
}
