import assert from "node:assert/strict";
import { test } from "node:test";
import { connected, type FromNotebook, type FromPage, PortTransport } from "../src/frame";
import { EMPTY } from "../src/link";
import { Unreachable } from "../src/transport";

/** A page at one end, and at the other what the notebook hears and says. */
const notebook = (state = {}) => {
  const { port1, port2 } = new MessageChannel();
  const heard: FromPage[] = [];
  let waiting: (() => void)[] = [];
  port2.addEventListener("message", ({ data }) => {
    heard.push(data);
    for (const go of waiting) go();
    waiting = [];
  });
  port2.start();
  const until = async (count: number) => {
    while (heard.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    return heard;
  };
  const end = () => {
    port1.close();
    port2.close();
  };
  return {
    page: new PortTransport(port1, state),
    until,
    say: (message: FromNotebook) => port2.postMessage(message),
    end,
  };
};

test("answers come to those who asked, in any order", async () => {
  const { page, until, say, end } = notebook();
  const [first, second] = [page.call("spec", { name: "a" }), page.call("format", { text: "b" })];
  assert.deepEqual(await until(2), [
    { id: "1", name: "spec", request: { name: "a" } },
    { id: "2", name: "format", request: { text: "b" } },
  ]);
  say({ id: "2", answer: { ok: true, text: "B" } });
  say({ id: "9", answer: { ok: true } });
  say({ id: "1", answer: { ok: true, text: "A" } });
  assert.deepEqual(await Promise.all([first, second]), [
    { ok: true, text: "A" },
    { ok: true, text: "B" },
  ]);
  end();
});

test("what is aborted is called off, and an answer that still comes is left", async () => {
  const { page, until, say, end } = notebook();
  const controller = new AbortController();
  const call = page.call("spec", { name: "a" }, controller.signal);
  controller.abort();
  await assert.rejects(call, { name: "AbortError" });
  assert.deepEqual((await until(2))[1], { id: "1", cancel: true });
  say({ id: "1", answer: { ok: true, text: "late" } });
  await assert.rejects(page.call("spec", { name: "a" }, controller.signal), { name: "AbortError" });
  const next = page.call("spec", { name: "b" });
  say({ id: (await until(3))[2]?.["id" as never] ?? "", answer: { ok: true, text: "B" } });
  assert.deepEqual(await next, { ok: true, text: "B" });
  assert.equal((await until(3)).length, 3);
  end();
});

test("what is no answer is reported", async () => {
  const { page, say, end } = notebook();
  const call = page.call("spec", { name: "a" });
  say({ id: "1", answer: [] });
  await assert.rejects(call, Unreachable);
  end();
});

test("the state goes to the notebook, and what the notebook sets comes to the page as far as it is one", async () => {
  const { page, until, say, end } = notebook({ text: "a" });
  assert.deepEqual(await page.read(), { text: "a" });
  page.write({ ...EMPTY, text: "b" });
  assert.deepEqual(await until(1), [{ state: { ...EMPTY, text: "b" } }]);
  const changed = new Promise<void>((resolve) => page.changed(resolve));
  say({ state: { text: "c", view: "nowhere", parameters: { a: 1, b: {} }, embed: true } });
  await changed;
  assert.deepEqual(await page.read(), { text: "c", parameters: { a: 1 } });
  assert.equal(page.canShare, false);
  end();
});

test("only the parent of the frame gives a port", async () => {
  const target = new EventTarget();
  const parent = {};
  Object.assign(globalThis, {
    window: { parent },
    addEventListener: target.addEventListener.bind(target),
    removeEventListener: target.removeEventListener.bind(target),
  });
  const found = connected();
  const say = (source: unknown, ports: unknown[], data: unknown) =>
    target.dispatchEvent(Object.assign(new Event("message"), { source, ports, data }));
  say({}, ["stranger"], { state: {} });
  say(parent, [], { state: {} });
  say(parent, ["own"], { state: { text: "a", layer: 1 } });
  say(parent, ["late"], { state: {} });
  assert.deepEqual(await found, { port: "own", state: { text: "a" } });
});
