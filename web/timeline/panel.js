/** The timeline's elements: buttons, the picture, the slider that walks over the beats, the lines. */
import { GROUPS } from "./commands.js";
import { t } from "./words.js";

const STYLE = new URL("./timeline.css", import.meta.url).href;

/** What the keys do. */
const help = () =>
  [
    t("Arrow keys choose a beat, Shift and arrow keys move it."),
    t("Delete deletes it, M mutes it, A adds one, Space plays, Control Z undoes."),
    t("The toolbar has everything else."),
  ].join(" ");

/** @param {string} name @param {Record<string, any>} properties @param {Node[]} children */
function element(name, properties = {}, children = []) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** The page has the style sheet. Not inside a node: there it would load anew whenever it is moved. */
export function addStyle() {
  if (document.querySelector(`link[href="${STYLE}"]`)) return;
  document.head.append(element("link", { rel: "stylesheet", href: STYLE }));
}

/**
 * Everything, unconnected.
 *
 * The picture itself is not for screen readers. Beats are reached by a slider whose value is the
 * beat's number, read out by `aria-valuetext`; being an input, it also keeps the host's own keys away.
 */
export function buildPanel() {
  const buttons = GROUPS.map((group) =>
    group.map((command) => ({ button: buttonOf(command), command })),
  );
  const groups = buttons.map((group) =>
    element("span", { className: "beat-timeline-group" }, group.map(({ button }) => button)),
  );
  const toolbar = element("div", { className: "beat-timeline-toolbar" }, groups);
  toolbar.setAttribute("role", "toolbar");
  toolbar.setAttribute("aria-label", t("Beat editing"));
  buttons[0][0].button.tabIndex = 0;

  const canvas = element("canvas");
  canvas.setAttribute("aria-hidden", "true");
  const slider = element("input", { type: "range", min: "0", max: "0", step: "1" });
  slider.setAttribute("aria-label", t("Beats"));
  slider.setAttribute("aria-description", help());
  const stage = element("div", { className: "beat-timeline-stage" }, [canvas, slider]);

  const said = element("output", { className: "beat-timeline-said" });
  said.setAttribute("role", "status");
  said.setAttribute("aria-live", "polite");
  const summary = element("span", { className: "beat-timeline-summary" });
  const lines = element("div", { className: "beat-timeline-lines" }, [summary, said]);

  const root = element("div", { className: "beat-timeline" }, [toolbar, stage, lines]);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", t("Beat timeline"));
  root.dataset.captureWheel = "true";
  return { root, toolbar, buttons: buttons.flat(), stage, canvas, slider, said, summary };
}

/** @param {import("./commands.js").Command} command */
function buttonOf(command) {
  const label = t(command.label);
  const title = t(command.title);
  const keys = namesOf(command.keys);
  const button = element("button", {
    type: "button",
    textContent: label,
    title: keys ? t("{0} ({1})", title, keys) : title,
    tabIndex: -1,
  });
  // Signs alone are not read out well.
  if (!/\p{L}{2}/u.test(label)) button.setAttribute("aria-label", title);
  if (keys) button.setAttribute("aria-keyshortcuts", ariaKeys(command.keys));
  if (command.pressed) button.setAttribute("aria-pressed", "false");
  return button;
}

/** As a person reads them. */
const namesOf = (keys) =>
  keys.reduce((told, key) => (told ? t("{0} or {1}", told, key) : key), "");

/** As `aria-keyshortcuts` wants them. */
const ariaKeys = (keys) =>
  keys.map((key) => (key === "+" ? "Plus" : key.replace("Ctrl", "Control"))).join(" ");

/** One stop for the Tab key; arrows go from button to button. */
export function rove(toolbar, event) {
  const all = [...toolbar.querySelectorAll("button")];
  const at = all.indexOf(document.activeElement);
  const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 };
  if (at < 0 || event.shiftKey || !(event.key in steps)) return false;
  const next = all[(steps[event.key] + all.length) % all.length];
  all.forEach((button) => (button.tabIndex = button === next ? 0 : -1));
  next.focus();
  return true;
}
