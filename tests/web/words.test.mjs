/** What the timeline says has its translation, and no translation is left over. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { afterEach, test } from "node:test";

import { GROUPS } from "../../web/timeline/commands.js";
import { Editor } from "../../web/timeline/editor.js";
import { speak, t } from "../../web/timeline/words.js";
import { zh } from "../../web/timeline/zh.js";

const FOLDER = new URL("../../web/timeline/", import.meta.url);
const COMMANDS = GROUPS.flat();
/** A call of `t`, and the string it begins with, if it does. */
const CALL = /\bt\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')?([^,)]*)/g;
/** What is translated by a name: labels and titles, which are looked for in `GROUPS` themselves. */
const NAMED = ["command.label", "command.title"];

const sources = readdirSync(FOLDER).filter((name) => name.endsWith(".js"));
const calls = sources.flatMap((name) => [
  ...readFileSync(new URL(name, FOLDER), "utf8").matchAll(CALL),
]);
const literals = calls.filter(([, literal]) => literal);
const sentences = literals.map(([, literal]) =>
  literal.slice(1, -1).replace(/\\(.)/g, (_, letter) => letter),
);
const used = new Set([...sentences, ...COMMANDS.flatMap(({ label, title }) => [label, title])]);

afterEach(() => speak("en"));

test("every key is a whole literal, or a command's label or title", () => {
  assert.ok(sentences.length > 50);
  for (const [call, literal, rest] of calls)
    assert.ok(literal ? !rest.trim() : NAMED.includes(rest), call);
});

test("every sentence has its Chinese, and no Chinese is left over", () => {
  assert.deepEqual([...used].filter((key) => !zh[key]), []);
  assert.deepEqual(Object.keys(zh).filter((key) => !used.has(key)), []);
});

test("a translation has the places of its sentence", () => {
  const places = (text) => [...new Set(text.match(/\{\d+\}/g))].sort();
  for (const [key, chinese] of Object.entries(zh))
    assert.deepEqual(places(chinese), places(key), key);
});

test("a label has a word in both languages or in none", () => {
  const word = /\p{L}{2}/u;
  for (const { label } of COMMANDS) assert.equal(word.test(zh[label]), word.test(label), label);
});

test("places are filled with what is given, once", () => {
  assert.equal(t("{1} of {0}, {1}", 5, "{0}"), "{0} of 5, {0}");
  assert.equal(t("Beat at {0}.", "0:01.00"), "Beat at 0:01.00.");
});

test("Chinese is spoken where the host speaks it, else English", () => {
  for (const language of ["zh", "zh-CN", "zh-TW"]) {
    speak(language);
    assert.equal(t("Play"), "播放");
    assert.equal(t("No such sentence {0}.", 1), "No such sentence 1.");
  }
  for (const language of ["en", "fr", "zhuang", "", undefined]) {
    speak(language);
    assert.equal(t("Play"), "Play");
  }
});

test("the editor speaks Chinese", () => {
  const said = [];
  const editor = new Editor({ write() {}, draw() {}, say: (sentence) => said.push(sentence) });
  const beats = [0, 0.5, 1, 1.5];
  editor.see({ heard: true, seconds: 2, peaks: [1], onsets: [], beats, downbeats: [0] });
  speak("zh");
  editor.select(0);
  editor.mute();
  assert.equal(said.at(-1), "0:00.00 处的节拍已静音。");
  assert.equal(editor.describe(0), "第 1 拍，共 4 拍，0.00 秒，小节开头，已静音");
  assert.equal(editor.summary(), "3 拍，120.0 BPM，已编辑");
  editor.load("often");
  assert.equal(said.at(-1), "时间轴的文本不是 JSON。");
});
