/** Elements of the page, and the names of keys on them. */
import { t } from "./words.js";

/**
 * @param {string} name @param {Record<string, any>} properties
 * @param {(Node | string)[]} children
 */
export function element(name, properties = {}, children = []) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const ARROWS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };

/** As a person reads them. @param {string[]} keys */
export const keyNames = (keys) =>
  keys
    .map((key) => key.replace(/Arrow\w+/, (arrow) => ARROWS[arrow]))
    .reduce((names, key) => (names ? t("{0} or {1}", names, key) : key), "");

/** As `aria-keyshortcuts` wants them. @param {string[]} keys */
export const ariaKeys = (keys) =>
  keys.map((key) => (key === "+" ? "Plus" : key.replace("Ctrl", "Control"))).join(" ");
