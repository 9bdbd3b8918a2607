import assert from "node:assert/strict";
import { test } from "node:test";
import { Text } from "@codemirror/state";
import type { Parameter, Row } from "../src/api";
import { found } from "../src/catalogue";
import { position } from "../src/editor";
import { Latest } from "../src/latest";
import { square, stops } from "../src/parameters";
import { sorted } from "../src/views/table";

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

const parameter = (patch: Partial<Parameter>): Parameter => ({ name: "a", type: "int", value: 1, ...patch });

test("a slider stands at the choices in order, or at the steps between its ends", () => {
  assert.deepEqual(stops(parameter({ type: "float", value: 1, choices: [1, 0.25, 0.75, 0.5] })), [0.25, 0.5, 0.75, 1]);
  assert.deepEqual(stops(parameter({ value: 3, min: 1, max: 5 })), [1, 2, 3, 4, 5]);
  assert.deepEqual(
    stops(parameter({ type: "float", value: 0.3, min: 0, max: 1, step: 0.25 })),
    [0, 0.25, 0.3, 0.5, 0.75, 1],
  );
  assert.equal(stops(parameter({ type: "float", value: 0.1, min: 0.1, max: 1, step: 0.1 }))?.length, 10);
  for (const none of [
    { choices: ["a", "b"] },
    { type: "bool" as const, value: true },
    { value: 0, min: 0 },
    { min: 5, max: 5 },
  ]) {
    assert.equal(stops(parameter(none)), null);
  }
  assert.equal(stops(parameter({ min: 0, max: 1e12, step: 1 })), null);
});

test("without an upper end a slider reaches to twice the value", () => {
  const alpha = stops(parameter({ type: "float", value: 1, min: 0 })) ?? [];
  assert.deepEqual([alpha[0], alpha.length, alpha.at(-1)], [0.05, 40, 2]);
  assert.ok(alpha.includes(0.25) && alpha.includes(0.75));
  assert.deepEqual(stops(parameter({ value: 2, min: 1, step: 1 })), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(stops(parameter({ value: 1000 }))?.slice(0, 2), [50, 100]);
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
  const rows = [row("a", "1.2 M", 1_200_000), row("b", "–", null), row("c", "900", 900), row("d", "900", 900)];
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
