/** The timeline's sentences in the host's language; the English sentence is the key. */
import { zh } from "./zh.js";

/** @type {Record<string, string>} Translations; empty where English is spoken. */
let table = {};

/** From now on sentences are in this language. @param {string} language such as "zh" or "zh-CN" */
export function speak(language) {
  table = /^zh\b/i.test(language) ? zh : {};
}

/** The sentence, with what is `given` in the places of {0}, {1} and so on. */
export const t = (sentence, ...given) =>
  (table[sentence] ?? sentence).replace(/\{(\d+)\}/g, (_, place) => given[place]);
