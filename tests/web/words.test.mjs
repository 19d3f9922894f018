/** Sentences of the editors have their translation, and no translation is left over. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { afterEach, test } from "node:test";

import { zh as shared } from "../../web/shared/zh.js";
import { GROUPS as RIG_GROUPS } from "../../web/rig/commands.js";
import { zh as rigZh } from "../../web/rig/zh.js";
import { HISTORY, ZOOM } from "../../web/shared/commands.js";
import { speak } from "../../web/shared/words.js";
import { GROUPS } from "../../web/timeline/commands.js";
import { Editor } from "../../web/timeline/editor.js";
import { t } from "../../web/timeline/words.js";
import { zh } from "../../web/timeline/zh.js";

/** A call of `t` or `translate`, and the string it begins with, if it does. */
const CALL = /\bt(?:ranslate)?\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')?([^,)]*)/g;
/** Calls with a name: labels, titles and headings, which are taken from the commands. */
const NAMED = ["command.label", "command.title", "group.heading"];
const COMMON = [...HISTORY, ...ZOOM];

/** The sentences of a folder, and the texts of its groups of commands. */
function folder(name, groups, table) {
  const at = new URL(`../../web/${name}/`, import.meta.url);
  const sources = readdirSync(at).filter((file) => file.endsWith(".js"));
  const calls = sources.flatMap((file) => [
    ...readFileSync(new URL(file, at), "utf8").matchAll(CALL),
  ]);
  const sentences = calls
    .filter(([, literal]) => literal)
    .map(([, literal]) => literal.slice(1, -1).replace(/\\(.)/g, (_, letter) => letter));
  const commands = groups.flatMap((group) => group.commands);
  const names = [
    ...groups.map((group) => group.heading),
    ...commands.flatMap(({ label, title }) => (label ? [label, title] : [title])),
  ];
  return { name, calls, commands, table, used: new Set([...sentences, ...names]) };
}

const FOLDERS = [
  folder("shared", [{ heading: "View", commands: COMMON }], shared),
  folder("timeline", GROUPS, zh),
  folder("rig", RIG_GROUPS, rigZh),
];

afterEach(() => speak("en"));

for (const { name, calls, commands, table, used } of FOLDERS) {
  test(`${name}: every key is a whole literal, or a text of a command`, () => {
    assert.ok(calls.length > 5);
    for (const [call, literal, rest] of calls)
      assert.ok(literal ? !rest.trim() : NAMED.includes(rest), call);
  });

  test(`${name}: every sentence has its Chinese, and no Chinese is left over`, () => {
    const all = { ...shared, ...table };
    assert.deepEqual([...used].filter((key) => !all[key]), []);
    assert.deepEqual(Object.keys(table).filter((key) => !used.has(key)), []);
  });

  test(`${name}: a translation has the places of its sentence`, () => {
    const places = (text) => [...new Set(text.match(/\{\d+\}/g))].sort();
    for (const [key, chinese] of Object.entries(table))
      assert.deepEqual(places(chinese), places(key), key);
  });

  test(`${name}: a label has a word in both languages or in none`, () => {
    const word = /\p{L}{2}/u;
    const labels = commands.flatMap(({ label }) => label ?? []);
    const all = { ...shared, ...table };
    for (const label of labels) assert.equal(word.test(all[label]), word.test(label), label);
  });

  test(`${name}: buttons have labels, and every key means one command`, () => {
    for (const command of commands) assert.equal(Boolean(command.row), Boolean(command.label));
    const keys = commands.flatMap((command) => command.keys);
    assert.equal(new Set(keys).size, keys.length);
  });
}

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
