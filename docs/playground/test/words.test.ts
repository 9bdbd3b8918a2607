import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { ordered, say, turned, use } from "../src/words";

const files = ["src", "src/views"].flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`));
const sources = files.filter((name) => name.endsWith(".ts")).map((name) => readFileSync(name, "utf8"));
const said = new Set(sources.flatMap((text) => [...text.matchAll(/\bsay\(\s*"([^"]*)"/g)].map(([, words]) => words)));
/** What functions call their choices, which `spoken` looks up. */
const choices = JSON.parse(readFileSync("test/choices.json", "utf8")) as string[];
const names = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

for (const language of ["he", "hy", "ru"]) {
  test(`every text of the page is there in ${language}, with its values, and no other`, () => {
    const words = JSON.parse(readFileSync(`words/${language}.json`, "utf8")) as Record<string, string>;
    assert.deepEqual(Object.keys(words).sort(), [...said, ...choices].sort());
    for (const [text, translated] of Object.entries(words)) {
      assert.ok(translated.trim(), text);
      assert.deepEqual(names(translated), names(text), text);
    }
  });
}

test("a text has its values, which keep their direction, and what is not known stays English", () => {
  assert.equal(say("Line {line}: {message}", { line: 3, message: "{line}" }), "Line 3: {line}");
  use("ru");
  assert.equal(say("Open"), "Открыть");
  assert.equal(say("Line {line}", { line: 3 }), "Строка 3");
  assert.equal(say("nobody says this"), "nobody says this");
  use("he");
  assert.equal(say("Line {line}", { line: 3 }), "שורה \u20683\u2069");
  use("xx");
  assert.equal(say("Open"), "Open");
  use("");
});

test("a text with words of a language from right to left runs so, whatever it begins with", () => {
  assert.equal(turned("LRN, גודל 5"), false, "on a page from left to right");
  use("he");
  assert.equal(turned("LRN, גודל 5"), true);
  assert.equal(turned("55×55×96"), false);
  assert.equal(turned("ReLU"), false);
  use("");
});

test("sizes and sums keep their direction in a text from right to left", () => {
  assert.equal(ordered("27×27×96"), "27×27×96");
  use("he");
  for (const [text, shown] of [
    ["קונבולוציה 3×5, 256, /4", "קונבולוציה \u20663×5\u2069, 256, \u2066/4\u2069"],
    ["(5·5·16 + 1)·120 = 48,120", "\u2066(5·5·16 + 1)·120 = 48,120\u2069"],
    ["256 מסננים, 1.5 G; conv2_1", "256 מסננים, 1.5 G; conv2_1"],
  ] as const)
    assert.equal(ordered(text), shown);
  use("");
});
