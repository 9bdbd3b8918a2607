import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { decode, EMPTY, encode, type State } from "../src/link";

const state = (patch: Partial<State>): State => ({ ...EMPTY, ...patch });

test("a network of the catalogue is named in the open", async () => {
  const text = "name: alexnet\n";
  assert.equal(await encode(state({ name: "alexnet", text })), "alexnet");
  assert.equal(
    await encode(state({ name: "alexnet@grouped", text, view: "table", layer: "conv1", embed: true })),
    "alexnet@grouped&view=table&layer=conv1&embed=1",
  );
  assert.deepEqual(await decode("#alexnet@grouped&view=table&layer=conv1&embed=1"), {
    name: "alexnet@grouped",
    view: "table",
    layer: "conv1",
    embed: true,
  });
});

test("every part of a state comes back", async () => {
  const all = state({
    text: "layers:\n  - conv2d: {out_channels: 8} # π × «\u{1F600}»\n",
    input: "32x32x3",
    parameters: { alpha: 0.5, aux: true, kind: "b", depth: 3 },
    view: "compare",
    layer: "block/conv 1&=#%",
    other: "vgg16",
    otherInput: "64x64x3",
    otherParameters: { alpha: 0.25 },
    convention: "torchinfo",
    depth: "2",
    folded: "1",
    style: "volumes",
    chart: "profile",
    columns: ["params", "output"],
    lang: "he",
  });
  const link = await encode(all);
  assert.match(link, /^z=[A-Za-z0-9_-]+$/);
  assert.deepEqual({ ...EMPTY, ...(await decode(`#${link}`)) }, all);
});

test("a network with changed parameters is still named, and its text is not in the link", async () => {
  const found = await decode(
    await encode(state({ name: "mobilenet", text: "x".repeat(1000), parameters: { alpha: 0.25 } })),
  );
  assert.deepEqual(found, { name: "mobilenet", parameters: { alpha: 0.25 } });
});

test("the link of a long spec is short", async () => {
  const line = "  - conv2d: {name: conv1, out_channels: 64, kernel_size: 3, padding: 1}\n";
  const link = await encode(state({ text: `layers:\n${line.repeat(200)}` }));
  assert.ok(link.length < 400, `${link.length} characters`);
});

test("what would be refused when it is opened is no link", async () => {
  let seed = 1;
  const letters = Array.from({ length: 400_000 }, () => {
    seed = (seed * 48271) % 2147483647;
    return String.fromCharCode(33 + (seed % 90));
  });
  await assert.rejects(
    encode(state({ text: letters.join("") })),
    /too long for a link: [\d,]+ characters, of which 200,000/,
  );
  const long = state({ text: "  - conv2d: {out_channels: 64, kernel_size: 3}\n".repeat(22_000) });
  assert.equal((await decode(await encode(long))).text, long.text);
});

for (const [what, link, message] of [
  ["no name", "#<script>", /does not name/],
  ["a script", "#<script>PWN=1</script>", /does not name/],
  ["an unknown word", "#what=alexnet", /does not name/],
  ["a bad escape", "#alexnet&layer=%zz", /damaged/],
  ["no base64", "#z=***", /damaged/],
  ["no network", `#z=${deflateSync('{"other": 1}').toString("base64url")}`, /damaged/],
  ["no deflate", "#z=AAAA", /damaged/],
  ["cut off", "#z=eJyrVipJrShRslIqKC1OLVKqBQA", /damaged/],
  ["too long", `#z=${"A".repeat(300_000)}`, /too long/],
] as const) {
  test(`a link with ${what} is refused in words`, async () => {
    await assert.rejects(decode(link), message);
  });
}

test("a link that unpacks to more than there may be is refused", async () => {
  const packed = await new Response(
    new Blob(["[".repeat(50_000_000)]).stream().pipeThrough(new CompressionStream("deflate")),
  ).arrayBuffer();
  const link = Buffer.from(packed).toString("base64url");
  assert.ok(link.length < 200_000);
  await assert.rejects(decode(`#z=${link}`), /damaged/);
});

test("whatever JSON a link holds, only values of the right kind come through", async () => {
  const raw = {
    text: "a",
    input: 7,
    view: "nothing",
    lang: "<b>",
    name: "../x",
    columns: [1, "a"],
    parameters: { a: [], b: 2 },
  };
  const packed = await new Response(
    new Blob([JSON.stringify({ ...raw, __proto__: null, constructor: "x" })])
      .stream()
      .pipeThrough(new CompressionStream("deflate")),
  ).arrayBuffer();
  assert.deepEqual(await decode(`z=${Buffer.from(packed).toString("base64url")}`), {
    text: "a",
    columns: ["a"],
    parameters: { b: 2 },
  });
});

test("a thousand damaged links are read or refused, and nothing else", async () => {
  const good = await encode(state({ text: "layers:\n  - relu: {}\n", view: "table", parameters: { a: 1 } }));
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  const letters = "ABCxyz019-_=&%#<>/\u0000é";
  for (let run = 0; run < 1000; run++) {
    let link: string = good;
    for (let change = random(6); change >= 0; change--) {
      const at = random(link.length + 1);
      link = link.slice(0, at) + letters[random(letters.length)] + link.slice(at + random(4));
    }
    try {
      const found = await decode(link);
      for (const key of Object.keys(found)) assert.ok(key in EMPTY, key);
      assert.equal(typeof (found.text ?? ""), "string");
    } catch (error) {
      assert.match((error as Error).message, /^This link /);
    }
  }
});

test("an empty spec is a link, too", async () => {
  assert.equal((await decode(await encode(state({ text: "" })))).text, "");
});
