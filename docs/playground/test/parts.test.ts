import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangeSet, Text } from "@codemirror/state";
import { JSDOM } from "jsdom";
import type { Parameter, Row } from "../src/api";
import { found } from "../src/catalogue";
import { moved, position, type Revision, samePlace } from "../src/editor";
import { isTable } from "../src/files";
import { Latest } from "../src/latest";
import { square, stops } from "../src/parameters";
import { isChanged } from "../src/session";
import { tableIn } from "../src/views/check";
import { nameOf } from "../src/views/diagram";
import { sorted } from "../src/views/table";

const { window } = new JSDOM("<!doctype html><body></body>");
Object.assign(globalThis, { DOMParser: window.DOMParser });

test("lines and columns from 1 become places in the text, and what is outside comes inside", () => {
  const doc = Text.of(["layers:", "  - relu", ""]);
  for (const [line, column, place] of [
    [1, 1, 0],
    [1, 4, 3],
    [2, 3, 10],
    [2, 99, 16],
    [3, 1, 17],
    [9, 9, 17],
    [0, 0, 0],
  ] as const) {
    assert.equal(position(doc, line, column), place, `${line}:${column}`);
  }
});

test("a column counts characters, of which some are two units of a text", () => {
  const doc = Text.of(["# 😀😀", "a: 😀 b"]);
  assert.equal(position(doc, 1, 4), 4);
  assert.equal(position(doc, 2, 6), 13);
  assert.equal(position(doc, 2, 99), 14);
});

test("the cursor stays at its word in a text with other spaces", () => {
  const [before, now] = [
    "name:  x\nlayers:\n      - relu\n\n      - tanh\n",
    "name: x\nlayers:\n  - relu\n\n  - tanh\n",
  ];
  for (const [left, right] of [
    ["", ""],
    ["name:  x", "name: x"],
    ["name:  x\n", "name: x\n"],
    ["name:  x\nlayers:\n   ", "name: x\nlayers:\n  "],
    ["name:  x\nlayers:\n      - re", "name: x\nlayers:\n  - re"],
    ["name:  x\nlayers:\n      - relu", "name: x\nlayers:\n  - relu"],
    [before, now],
  ] as const)
    assert.equal(samePlace(before, now, left.length), right.length, left);
  assert.equal(samePlace("a -> b\n\n", "a -> b", 7), 6);
});

test("an older text that was changed has its name, or half of its lines", () => {
  const before = "name: a\ntitle: A\ninput: 8x8x3\nlayers:\n  - relu\n";
  for (const [now, changed] of [
    [before.replace("relu", "rel"), true],
    [before.replace("name: a", "name: b"), true],
    [before.replace("name: a\n", ""), true],
    ["name: a\n", true],
    ["name: b\ninput: 8x8x3\nlayers: 3\n", false],
    ["n", false],
    ["", false],
  ] as const)
    assert.equal(isChanged(before, now), changed, now);
  assert.equal(isChanged("", before), false);
});

test("a part of an older text is found in the text as it is now", () => {
  const change = (length: number, from: number, to: number, insert: string): ChangeSet =>
    ChangeSet.of({ from, to, insert }, length);
  const last: Revision = {};
  // "name: x\nwrog: 1": a line before it, a letter right after it, and something at its end.
  const changes = [change(15, 0, 0, "# new\n"), change(21, 18, 18, "s"), change(22, 22, 22, "0")];
  const first = changes.reduceRight<Revision>((revision, { desc }) => ({ next: { changes: desc, revision } }), last);
  assert.deepEqual(moved(first, 8, 12), { from: 14, to: 18 });
  assert.deepEqual(moved(first, 0, 0), { from: 6, to: 6 });
  assert.deepEqual(moved(last, 8, 12), { from: 8, to: 12 });
  const gone: Revision = { next: { changes: change(15, 7, 15, "").desc, revision: last } };
  assert.deepEqual(moved(gone, 8, 12), { from: 7, to: 7 });
});

test("a box is called by all that is written in it", () => {
  const box = (title: string, ...texts: string[]) =>
    new JSDOM(
      `<svg><g data-layer="a"><title>${title}</title>${texts.map((text) => `<text>${text}</text>`).join("")}</g></svg>`,
    ).window.document.querySelector("g") as Element;
  assert.equal(nameOf(box("conv1: conv 11×11, 96", "conv1", "conv 11×11, 96")), "conv1: conv 11×11, 96");
  assert.equal(nameOf(box("unit1: 3 layers", "unit1", "×4")), "unit1 ×4; unit1: 3 layers");
  assert.equal(nameOf(box("conv10", "conv1")), "conv1; conv10");
  assert.equal(nameOf(box("", "–")), "a");
});

test("a dropped file is a table of answers, or a network, by what is in it", async () => {
  for (const [name, text, table] of [
    ["a.csv", "", true],
    ["a.XLSX", "", true],
    ["a.html", "", true],
    ["a.ipynb", "{}", true],
    ["a.json", '{"conv1": {"params": 34944}}', true],
    ["a.json", '[{"layer": "conv1", "params": 34944}]', true],
    ["a.json", '{"class_name": "Sequential", "config": {}}', false],
    ["a.json", "{", false],
    ["a.yaml", "conv1: {params: 34944}\n", true],
    ["a.yml", "- {layer: conv1, params: 34944}\n", true],
    ["a.yaml", "name: a\nlayers: [\n", false],
    ["a.onnx", "layers", false],
    ["a.cfg", "[net]", false],
  ] as const)
    assert.equal(await isTable(new File([text], name)), table, `${name}: ${text}`);
});

test("of a page the longest table is read, and nothing is run", () => {
  const page = `<table><tr><td>1<table></table></table><script>throw 1</script><img src=x onerror=alert(1)>
    <table><tr><th>layer<th>params<tr><td> conv1\n <td>34,944<tr><td>a "b"<td>=1+1</table>`;
  assert.equal(tableIn(page), '"layer","params"\n"conv1","34,944"\n"a ""b""","=1+1"');
  assert.equal(tableIn("<p>no table"), "");
});

const parameter = (patch: Partial<Parameter>): Parameter => ({ name: "a", type: "int", value: 1, ...patch });

test("a slider stands at the choices in order, or at the steps between its ends", () => {
  assert.deepEqual(stops(parameter({ type: "float", value: 1, choices: [1, 0.25, 0.75, 0.5] })), [0.25, 0.5, 0.75, 1]);
  assert.deepEqual(stops(parameter({ value: 3, min: 1, max: 5, step: 1 })), [1, 2, 3, 4, 5]);
  assert.deepEqual(
    stops(parameter({ type: "float", value: 0.3, min: 0, max: 1, step: 0.25 })),
    [0, 0.25, 0.3, 0.5, 0.75, 1],
  );
  assert.equal(stops(parameter({ type: "float", value: 0.1, min: 0.1, max: 1, step: 0.1 }))?.length, 10);
  for (const none of [
    { choices: ["a", "b"] },
    { type: "bool" as const, value: true },
    { value: 0, min: 0, step: 1 },
    { min: 5, max: 5, step: 1 },
    { min: 1, max: 5 },
  ]) {
    assert.equal(stops(parameter(none)), null);
  }
  assert.equal(stops(parameter({ min: 0, max: 1e12, step: 1 })), null);
});

test("a square input has a side", () => {
  assert.deepEqual(square("224x224x3"), { side: 224, rest: "x3" });
  assert.deepEqual(square("28×28×1"), { side: 28, rest: "x1" });
  for (const input of ["224x192x3", "16x112x112x3", "768", ""]) assert.equal(square(input), null, input);
});

const row = (name: string, params: string, value?: number | null): Row => ({
  name,
  op: "",
  cells: { params },
  ...(value === undefined ? {} : { values: { params: value } }),
});

test("rows are sorted by the exact number, equal ones stay in order, and what has none is last", () => {
  const rows = [row("a", "1.2 M", 1_200_000), row("b", "–", 0), row("c", "900", 900), row("d", "900", 900)];
  assert.deepEqual(
    sorted(rows, "params", "descending").map(({ name }) => name),
    ["a", "c", "d", "b"],
  );
  assert.deepEqual(
    sorted(rows, "params", "ascending").map(({ name }) => name),
    ["c", "d", "a", "b"],
  );
});

test("names are sorted as people count, and numbers are read with their commas", () => {
  const rows = [row("unit10", "1,000"), row("unit9", "20"), row("unit1", "")];
  assert.deepEqual(
    sorted(rows, "name", "ascending").map(({ name }) => name),
    ["unit1", "unit9", "unit10"],
  );
  assert.deepEqual(
    sorted(rows, "params", "descending").map(({ name }) => name),
    ["unit10", "unit9", "unit1"],
  );
});

test("the catalogue is searched by every word", () => {
  const networks = [
    { name: "resnet50", title: "ResNet-50", year: 2015, family: "ResNet" },
    { name: "resnet101", title: "ResNet-101", year: 2015, family: "ResNet" },
    { name: "alexnet", title: "AlexNet", year: 2012 },
  ];
  const names = (search: string) => found(networks, search).map(({ name }) => name);
  assert.deepEqual(names("RESNET 50"), ["resnet50"]);
  assert.deepEqual(names("2015"), ["resnet50", "resnet101"]);
  assert.deepEqual(names(""), ["resnet50", "resnet101", "alexnet"]);
  assert.deepEqual(names("nothing"), []);
});

test("of many starts only the last runs to its end", async () => {
  const done: number[] = [];
  let number = 0;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const latest = new Latest(
    async (signal) => {
      const mine = ++number;
      if (mine === 1) latest.start();
      await Promise.resolve();
      signal.throwIfAborted();
      done.push(mine);
      finish();
    },
    () => assert.fail("what was overtaken has not failed"),
  );
  latest.start();
  latest.start();
  latest.start();
  await finished;
  assert.deepEqual(done, [2]);
});
