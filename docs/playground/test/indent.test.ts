import assert from "node:assert/strict";
import { test } from "node:test";
import { columnAfter, dashAfter } from "../src/indent";

for (const [text, column] of [
  ["", 0],
  ["name: mine", 0],
  ["layers:", 2],
  ["layers:\n  - relu: {}", 2],
  ["layers:\n  - relu", 2],
  ["layers:\n- relu", 0],
  ["layers:\n  - relu # in place", 2],
  ["layers:\n  - conv2d:", 6],
  ["layers:\n  - conv2d:\n      out_channels: 8", 6],
  ["layers:\n  - repeat: 3", 4],
  ["layers:\n  - repeat: 3\n    layers:", 6],
  ["layers:\n  - for_each: {block: unit, columns: [name]}", 4],
  ["layers:\n  - branches:", 6],
  ["layers:\n  - branches:\n      - - conv_relu: {out_channels: 8, kernel_size: 1}", 8],
  ["layers:\n  - relu\n", 2],
  ["layers:\n  - relu\n    ", 4],
  ["description: >", 2],
] as const) {
  test(`the line after ${JSON.stringify(text)} begins in column ${column}`, () => {
    assert.equal(columnAfter(text.split("\n")), column);
  });
}

for (const [text, typed, column] of [
  ["layers:", 2, 2],
  ["layers:", 4, 4],
  ["layers:\n  - relu: {}", 4, 2],
  ["layers:\n  - relu: {}", 2, 2],
  ["layers:\n  - relu: {}", 0, 0],
  ["layers:\n  - relu:", 6, 2],
  ["layers:\n  - branches:", 6, 6],
  ["layers:\n  - conv2d:\n      out_channels: 8", 6, 2],
  ["layers:\n  - repeat: 3\n    layers:", 6, 6],
  ["layers:\n  - repeat: 3\n    layers:\n      - relu\n", 8, 6],
  ["layers:\n  - branches:\n      - - relu", 10, 8],
  ["name: mine", 2, 2],
] as const) {
  test(`a dash in column ${typed} after ${JSON.stringify(text)} stands in ${column}`, () => {
    assert.equal(dashAfter(text.split("\n"), typed), column);
  });
}
