import assert from "node:assert/strict";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import { page, scaleOf, withoutAlpha } from "../src/pixels";

test("pictures are drawn at twice their size, unless a canvas would be too large", () => {
  assert.equal(scaleOf(800, 600), 2);
  assert.equal(scaleOf(16_000, 10), 1);
  const scale = scaleOf(16_000, 16_000);
  assert.ok(scale < 1 && (16_000 * scale) ** 2 <= 64_000_001);
});

test("a PDF has its image and the places of its objects", async () => {
  const data = Uint8ClampedArray.from([1, 2, 3, 255, 4, 5, 6, 255]);
  const rgb = withoutAlpha(data);
  assert.deepEqual([...rgb], [1, 2, 3, 4, 5, 6]);
  const stream = new Blob([rgb]).stream().pipeThrough(new CompressionStream("deflate"));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  const made = Buffer.from(page(packed, 2, 1));
  const text = made.toString("latin1");
  const places = [...text.matchAll(/^(\d{10}) 00000 n /gm)].map(([, at]) => Number(at));
  assert.equal(places.length, 5);
  for (const [place, at] of places.entries()) assert.ok(text.startsWith(`${place + 1} 0 obj\n`, at));
  const table = Number(/startxref\n(\d+)/.exec(text)?.[1]);
  assert.ok(text.startsWith("xref\n", table));
  const image = made.indexOf("stream\n", places[4]) + 7;
  assert.deepEqual([...inflateSync(made.subarray(image, image + packed.length))], [...rgb]);
  assert.match(text, /\/MediaBox \[0 0 1 0.5\]/);
});
