/** The menu "More": every command that has no button, and its keys, above the whole page. */
import { ariaKeys, element, keyNames } from "./elements.js";
import { t } from "./words.js";

/** Pixels between the menu, its button and the window's edges. */
const GAP = 4;

/**
 * The button and its list, which begins with a `hint`; `items` are the list's buttons with their
 * commands.
 * @param {import("./commands.js").Group[]} groups @param {(sentence: string) => string} translate
 * @param {string} hint
 */
export function buildMenu(groups, translate, hint) {
  const button = element("button", {
    type: "button",
    textContent: t("More"),
    title: t("More commands"),
    className: "musedance-more",
    tabIndex: -1,
  });
  // Without the arrow that the style sheet adds.
  button.setAttribute("aria-label", t("More"));
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  const items = [];
  const list = element(
    "div",
    { className: "musedance-menu" },
    groups.map((group) => {
      const of = group.commands.map((command) => ({ button: itemOf(command, translate), command }));
      items.push(...of);
      return sectionOf(
        translate(group.heading),
        of.map((item) => item.button),
      );
    }),
  );
  list.prepend(element("div", { className: "musedance-hint", textContent: hint }));
  list.setAttribute("role", "menu");
  list.setAttribute("aria-label", t("More commands"));
  list.popover = "auto";
  button.popoverTargetElement = list;
  list.addEventListener("toggle", ({ newState }) => {
    const open = newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (!open) return;
    place(list, button);
    shownItems(list)[0]?.focus({ preventScroll: true });
  });
  list.addEventListener("keydown", (event) => walk(list, button, event));
  // The host would zoom the graph.
  list.addEventListener("wheel", (event) => event.stopPropagation());
  return { button, list, items };
}

/** @param {import("./commands.js").Command} command */
function itemOf(command, translate) {
  const title = translate(command.title);
  const keys = element("kbd", { textContent: keyNames(command.keys) });
  keys.setAttribute("aria-hidden", "true");
  const item = element("button", { type: "button", tabIndex: -1 }, [
    element("span", { textContent: title }),
    keys,
  ]);
  item.role = command.pressed ? "menuitemcheckbox" : "menuitem";
  item.setAttribute("aria-label", title);
  if (command.keys.length) item.setAttribute("aria-keyshortcuts", ariaKeys(command.keys));
  if (command.pressed) item.setAttribute("aria-checked", "false");
  return item;
}

function sectionOf(heading, items) {
  const section = element("div", {}, [element("div", { textContent: heading }), ...items]);
  section.setAttribute("role", "group");
  section.setAttribute("aria-label", heading);
  section.firstElementChild.className = "musedance-heading";
  return section;
}

/** Beside the button, so that what it changes stays in sight, and within the window. */
function place(list, button) {
  const { left, right, top } = button.getBoundingClientRect();
  list.style.maxHeight = `${window.innerHeight - 2 * GAP}px`;
  const { offsetWidth: width, offsetHeight: height } = list;
  const beside = right + GAP + width <= window.innerWidth ? right + GAP : left - GAP - width;
  list.style.left = `${Math.max(GAP, beside)}px`;
  list.style.top = `${Math.max(GAP, Math.min(top, window.innerHeight - GAP - height))}px`;
}

const shownItems = (list) => [...list.querySelectorAll("button")].filter((item) => !item.hidden);

/** Arrows go from item to item. */
function walk(list, button, event) {
  event.stopPropagation();
  if (event.key === "Tab" || event.key === "Escape") {
    list.hidePopover();
    button.focus();
    return event.preventDefault();
  }
  const all = shownItems(list);
  const at = all.indexOf(document.activeElement);
  const steps = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 };
  if (!(event.key in steps)) return;
  event.preventDefault();
  all[(steps[event.key] + all.length) % all.length].focus();
}
