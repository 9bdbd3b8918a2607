/** The engine of the static build: Pyodide and archcalc in a worker. Everything comes from this folder. */

import { type Entry, unpacked } from "./archive";

interface Manifest {
  pyodide: string;
  /** The packages, as one archive. */
  archive: string;
  /** What is loaded when a function first misses a package: packages as an archive, or a module of JavaScript. */
  parts: Record<string, string>;
  /** Functions that the first view calls, and all of them. */
  first: string[];
  functions: string[];
  files: Record<string, { bytes: number }>;
}

interface Files {
  mkdirTree(path: string): void;
  writeFile(path: string, data: Uint8Array, options: { canOwn: boolean }): void;
}

interface Pyodide {
  FS: Files;
  runPython(code: string): unknown;
  registerJsModule(name: string, module: object): void;
}

/** The build of Graphviz. */
interface Graphviz {
  instance(): Promise<{ renderString(graph: string, options: { format: string; engine: string }): string }>;
}

type Call = (name: string, request: string) => Promise<unknown>;
type Load = (names: string) => void;

const say = (message: unknown) => (self as unknown as { postMessage(message: unknown): void }).postMessage(message);
const progress = (share: number, what: string) => say({ kind: "progress", share, what });
/** Where the packages are for Python. */
const PACKAGES = "/packages";
const START = `
import sys
sys.path.insert(0, "${PACKAGES}")
from archcalc.cli.serve.functions import call_text, load
call_text, (lambda names: load(names.split()))`;

/** A network of which the first calls take what every first call takes. */
const SMALL = JSON.stringify({
  source: {
    text: `name: small
title: Small
input: 8x8x3
layers:
  - conv_bn_relu: {out_channels: 8, kernel_size: 3}
  - max_pool2d: {kernel_size: 2}
  - linear: {out_features: 10}
`,
  },
});

async function got(address: URL): Promise<Response> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address.pathname} is not there (${response.status})`);
  return response;
}

async function archive(address: URL, came: (bytes: number) => void = () => {}): Promise<Entry[]> {
  const { body } = await got(address);
  if (!body) throw new Error(`${address.pathname} is empty`);
  return unpacked(body, came);
}

function write(files: Files, found: readonly Entry[]): void {
  const made = new Set<string>();
  for (const { path, data } of found) {
    const place = `${PACKAGES}/${path}`;
    const folder = place.slice(0, place.lastIndexOf("/"));
    if (!made.has(folder)) files.mkdirTree(folder);
    made.add(folder);
    files.writeFile(place, data, { canOwn: true });
  }
}

async function start(): Promise<Call> {
  progress(0.02, "list");
  const base = new URL("./", self.location.href);
  const manifest = (await (await got(new URL("manifest.json", base))).json()) as Manifest;
  const folder = new URL(manifest.pyodide, base).href;
  progress(0.05, "python");
  // The packages come and are unpacked while the browser compiles Python.
  const size = manifest.files[manifest.archive]?.bytes ?? Number.POSITIVE_INFINITY;
  const packages = archive(new URL(manifest.archive, base), (bytes) =>
    progress(0.05 + (0.35 * bytes) / size, "python"),
  );
  // Python waits for them; what is wrong with them is said even where Python never starts.
  const engine = import(new URL("pyodide.mjs", folder).href).then(
    ({ loadPyodide }): Promise<Pyodide> =>
      loadPyodide({
        indexURL: folder,
        fsInit: async (files: Files) => {
          write(files, await packages);
          progress(0.5, "packages");
        },
      }),
  );
  const [python] = await Promise.all([engine, packages]);
  progress(0.7, "archcalc");
  const [call, load] = python.runPython(START) as unknown as [(name: string, request: string) => string, Load];
  for (const [place, name] of manifest.first.entries()) {
    load(name);
    progress(0.7 + (0.3 * (place + 1)) / manifest.first.length, "archcalc");
  }
  progress(1, "ready");
  // Every picture needs networkx, which takes as long as all of archcalc.
  soon(
    () => python.runPython("import networkx"),
    ...manifest.first.map((name) => () => call(name, SMALL)),
    ...manifest.functions.map((name) => () => load(name)),
    () => call("chart", SMALL),
  );
  const parts = new Parts(python, base, manifest.parts);
  return async (name, request) => {
    for (;;) {
      const answer = JSON.parse(call(name, request)) as { missing?: string };
      if (!answer.missing || !(await parts.load(answer.missing))) return answer;
    }
  };
}

/** The parts of which most visitors need none. */
class Parts {
  private readonly loaded = new Set<string>();

  constructor(
    private readonly python: Pyodide,
    private readonly base: URL,
    private readonly addresses: Record<string, string>,
  ) {}

  /** Whether a package is there now that was not before. */
  async load(name: string): Promise<boolean> {
    const address = this.addresses[name];
    if (!address || this.loaded.has(name)) return false;
    const place = new URL(address, this.base);
    if (address.endsWith(".js")) {
      const graphviz = await ((await import(place.href)) as Graphviz).instance();
      this.python.registerJsModule("graphviz_of_page", {
        layout: (graph: string) => graphviz.renderString(graph, { format: "json", engine: "dot" }),
      });
    } else {
      write(this.python.FS, await archive(place));
      this.python.runPython("import importlib; importlib.invalidate_caches()");
    }
    this.loaded.add(name);
    return true;
  }
}

/** Do what the first view did not need, one thing after the other: a request comes between two of them. */
function soon(...steps: (() => unknown)[]): void {
  const [step, ...rest] = steps;
  if (step === undefined) return;
  setTimeout(() => {
    step();
    soon(...rest);
  });
}

const engine = start();
engine.then(
  () => say({ kind: "ready" }),
  (error) => say({ kind: "failed", message: `The engine could not be started: ${error}` }),
);

self.addEventListener("message", async ({ data }: MessageEvent) => {
  const { id, name, request } = data as { id: number; name: string; request: unknown };
  let answer: unknown;
  try {
    answer = await (await engine)(name, JSON.stringify(request));
  } catch (error) {
    answer = { ok: false, errors: [{ message: `archcalc failed: ${error}`, severity: "error" }] };
  }
  say({ id, answer });
});
