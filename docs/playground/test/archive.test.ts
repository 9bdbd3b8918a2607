import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { entries, unpacked } from "../src/archive";

/** What Python's tarfile makes of files, each with its name as its content; with `size`, as many letters. */
const tar = (names: readonly string[], size = 0) =>
  execFileSync("python3", [
    "-c",
    `
import io, sys, tarfile
out = io.BytesIO()
with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as made:
    for name in sys.argv[2:]:
        data = b"a" * int(sys.argv[1]) or name.encode()
        member = tarfile.TarInfo(name)
        member.size = len(data)
        made.addfile(member, io.BytesIO(data))
sys.stdout.buffer.write(out.getvalue())
`,
    String(size),
    ...names,
  ]);
const listed = (data: Uint8Array) => entries(data).map(({ path, data }) => [path, new TextDecoder().decode(data)]);

test("an archive is read as it was written", () => {
  const long = `${"folder/".repeat(20)}файл.py`;
  assert.deepEqual(
    listed(tar(["a.py", "b/c.pyc", long])),
    ["a.py", "b/c.pyc", long].map((name) => [name, name]),
  );
  for (const size of [511, 512, 513])
    assert.deepEqual(
      listed(tar(["x", "y"], size)).map(([, text]) => text?.length),
      [size, size],
    );
  assert.deepEqual(entries(new Uint8Array(0)), []);
});

test("an archive that ends too early is refused", () => {
  assert.throws(() => entries(tar(["a.py"], 600).subarray(0, 1000)), /not complete/);
});

test("what comes is counted while it is unpacked", async () => {
  const data = new Blob([new Uint8Array(tar(["a.py", "b.py"]))]);
  const packed = await new Response(data.stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
  const counts: number[] = [];
  const found = await unpacked(new Blob([packed]).stream(), (bytes) => counts.push(bytes));
  assert.deepEqual(
    found.map(({ path }) => path),
    ["a.py", "b.py"],
  );
  assert.equal(counts.at(-1), packed.byteLength);
  const half = new Blob([packed.slice(0, 40)]).stream();
  await assert.rejects(unpacked(half, () => {}));
});
