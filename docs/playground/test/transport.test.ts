import assert from "node:assert/strict";
import { test } from "node:test";
import { Session } from "../src/session";
import { HttpTransport, StaticTransport, Unreachable, WorkerTransport } from "../src/transport";

const answers = (answer: () => Response | Promise<Response>) => {
  const asked: { address: string; body: unknown }[] = [];
  globalThis.fetch = async (address, init) => {
    asked.push({ address: String(address), body: init?.body ? JSON.parse(String(init.body)) : null });
    init?.signal?.throwIfAborted();
    return answer();
  };
  return asked;
};

test("a function is called by its name, in the language of the page", async () => {
  const asked = answers(() => Response.json({ ok: true, text: "x" }));
  const session = new Session(new HttpTransport());
  assert.deepEqual(await session.call("spec", { name: "alexnet" }), { ok: true, text: "x" });
  session.state.lang = "he";
  await session.call("spec", { name: "nin" });
  assert.deepEqual(asked, [
    { address: "./api/spec", body: { name: "alexnet" } },
    { address: "./api/spec", body: { name: "nin", lang: "he" } },
  ]);
});

test("a server that has too much to do is asked again, some times", async () => {
  const busy = { ok: false, busy: true, errors: [{ message: "too many requests wait", severity: "error" }] };
  let left = 3;
  const asked = answers(() => Response.json(left-- > 0 ? busy : { ok: true, text: "x" }));
  assert.deepEqual(await new HttpTransport(0).call("spec", { name: "x" }), { ok: true, text: "x" });
  assert.equal(asked.length, 4);
  answers(() => Response.json(busy));
  assert.deepEqual(await new HttpTransport(0).call("spec", { name: "x" }), busy);
});

test("errors of a function are an answer, whatever the status", async () => {
  const errors = [{ message: "too many requests wait", severity: "error" }];
  answers(() => Response.json({ ok: false, errors }, { status: 503 }));
  assert.deepEqual(await new HttpTransport().call("spec", { name: "x" }), { ok: false, errors });
});

for (const [what, answer] of [
  ["a server that is gone", () => Promise.reject(new TypeError("Failed to fetch"))],
  ["no JSON", () => new Response("<html>", { status: 502 })],
  ["JSON of another kind", () => Response.json([1])],
] as [string, () => Response | Promise<Response>][]) {
  test(`${what} is reported`, async () => {
    answers(answer);
    await assert.rejects(new HttpTransport().call("spec", { name: "x" }), Unreachable);
  });
}

test("what is aborted is no failure of the server", async () => {
  answers(() => Response.json({ ok: true }));
  const controller = new AbortController();
  controller.abort();
  await assert.rejects(new HttpTransport().call("spec", { name: "x" }, controller.signal), { name: "AbortError" });
});

/** A worker with answers that the test chooses. */
class FakeWorker extends EventTarget {
  readonly got: { id: number; name: string }[] = [];
  ended = false;
  postMessage(message: { id: number; name: string }): void {
    this.got.push(message);
  }
  terminate(): void {
    this.ended = true;
  }
  say(data: unknown): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }
}

const worker = () => {
  const fakes: FakeWorker[] = [];
  const steps: [number, string][] = [];
  const started: (string | undefined)[] = [];
  const transport = new WorkerTransport(
    (share, what) => steps.push([share, what]),
    (error) => started.push(error?.message),
    () => {
      fakes.push(new FakeWorker());
      return fakes.at(-1) as unknown as Worker;
    },
  );
  return { fake: fakes[0] as FakeWorker, fakes, steps, started, transport };
};
const turn = () => new Promise((resolve) => setTimeout(resolve));

test("requests to the worker wait until it is ready, and each for the one before it", async () => {
  const { fake, steps, transport } = worker();
  fake.say({ kind: "progress", share: 0.4, what: "Loading packages" });
  const both = [transport.call("spec", { name: "a" }), transport.call("spec", { name: "b" })];
  await turn();
  assert.equal(fake.got.length, 0);
  fake.say({ kind: "ready" });
  await turn();
  assert.equal(fake.got.length, 1);
  fake.say({ id: fake.got[0]?.id, answer: { ok: true, text: "a" } });
  await turn();
  assert.equal(fake.got.length, 2);
  fake.say({ id: fake.got[1]?.id, answer: { ok: true, text: "b" } });
  assert.deepEqual(await Promise.all(both), [
    { ok: true, text: "a" },
    { ok: true, text: "b" },
  ]);
  assert.deepEqual(steps, [[0.4, "Loading packages"]]);
});

test("what was overtaken before the engine was ready is never sent", async () => {
  const { fake, transport } = worker();
  const controller = new AbortController();
  const call = transport.call("spec", { name: "a" }, controller.signal);
  controller.abort();
  fake.say({ kind: "ready" });
  await assert.rejects(call, { name: "AbortError" });
  assert.deepEqual(fake.got, []);
});

test("what was overtaken while another one is answered is never sent", async () => {
  const { fake, transport } = worker();
  fake.say({ kind: "ready" });
  const first = transport.call("spec", { name: "a" });
  const controller = new AbortController();
  const second = transport.call("spec", { name: "b" }, controller.signal);
  await turn();
  controller.abort();
  fake.say({ id: fake.got[0]?.id, answer: { ok: true, text: "a" } });
  assert.deepEqual(await first, { ok: true, text: "a" });
  await assert.rejects(second, { name: "AbortError" });
  assert.equal(fake.got.length, 1);
});

test("an engine that cannot start says why, to all who wait, and is started again by the next call", async () => {
  const { fake, fakes, started, transport } = worker();
  const calls = [transport.call("spec", { name: "a" }), transport.call("spec", { name: "b" })];
  fake.say({ kind: "failed", message: "no WebAssembly" });
  for (const call of calls) await assert.rejects(call, /no WebAssembly/);
  assert.ok(fake.ended);
  const again = transport.call("spec", { name: "a" });
  assert.equal(fakes.length, 2);
  fakes[1]?.say({ kind: "ready" });
  await turn();
  fakes[1]?.say({ id: fakes[1]?.got[0]?.id, answer: { ok: true, text: "a" } });
  assert.deepEqual(await again, { ok: true, text: "a" });
  assert.deepEqual(started, ["no WebAssembly", undefined]);
});

test("the catalogue can be read before the engine is ready, and a change waits for it", async () => {
  const { fake, transport } = worker();
  const files: Record<string, unknown> = {
    "./catalogue.json": { ok: true, networks: [{ name: "alexnet", file: "alexnet" }, { name: "other" }] },
    "./networks/alexnet-dark.json": { ok: true, svg: "<svg class='dark'/>" },
    "./networks/alexnet.json": {
      spec: { ok: true, text: "name: alexnet" },
      analyse: { ok: true, rows: [] },
      draw: { ok: true, svg: "<svg/>" },
    },
  };
  globalThis.fetch = async (address) => {
    const file = files[String(address)];
    return file ? Response.json(file) : new Response("", { status: 404 });
  };
  const page = new StaticTransport(transport);
  assert.deepEqual(await page.call("catalogue", {}), files["./catalogue.json"]);
  const spec = await page.call("spec", { name: "alexnet" });
  assert.ok(spec.ok);
  const source = { text: spec.text };
  assert.deepEqual(await page.call("analyse", { source }), { ok: true, rows: [] });
  assert.deepEqual(await page.call("draw", { source, theme: "light" }), { ok: true, svg: "<svg/>" });
  assert.deepEqual(await page.call("draw", { source, theme: "dark" }), { ok: true, svg: "<svg class='dark'/>" });
  const changed = page.call("analyse", { source: { text: "name: other" } });
  await turn();
  assert.deepEqual(fake.got, []);
  fake.say({ kind: "ready" });
  await turn();
  fake.say({ id: 1, answer: { ok: true, rows: [1] } });
  assert.deepEqual(await changed, { ok: true, rows: [1] });
  // The files hold all that the engine would say, and pictures that no browser lays out.
  assert.deepEqual(await page.call("draw", { source, theme: "light" }), { ok: true, svg: "<svg/>" });
  const other = page.call("spec", { name: "other" });
  await turn();
  assert.equal(fake.got.length, 2);
  fake.say({ id: 2, answer: { ok: true, text: "name: other" } });
  assert.deepEqual(await other, { ok: true, text: "name: other" });
});
