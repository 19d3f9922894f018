/** Sentences in the host's language; the English sentence is the key. */
import { zh } from "./zh.js";

/** Whether sentences are Chinese from now on; all others are English. */
let chinese = false;

/** @param {string | undefined} language of the host, such as "zh" or "zh-CN" */
export function speak(language) {
  chinese = /^zh\b/i.test(language ?? "");
}

/**
 * A function that translates a sentence and fills the places {0}, {1} and so on.
 * @param {Record<string, string>} table Chinese of the sentences that `zh` of this folder lacks
 * @returns {(sentence: string, ...values: any[]) => string}
 */
export function translator(table) {
  const all = { ...zh, ...table };
  return (sentence, ...values) =>
    ((chinese && all[sentence]) || sentence).replace(/\{(\d+)\}/g, (_, place) => values[place]);
}

export const t = translator({});
