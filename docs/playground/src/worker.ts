/** The engine of the static build: Pyodide and archcalc in a worker. Everything comes from this folder. */

interface Manifest {
  pyodide: string;
  packages: string[];
  wheels: string[];
}

interface Pyodide {
  loadPackage(names: string[], options?: { messageCallback?: (text: string) => void }): Promise<unknown>;
  runPython(code: string): unknown;
}

const say = (message: unknown) => (self as unknown as { postMessage(message: unknown): void }).postMessage(message);
const progress = (share: number, what: string) => say({ kind: "progress", share, what });

async function start(): Promise<(name: string, request: string) => string> {
  progress(0.02, "Reading the list of parts");
  const base = new URL("./", self.location.href);
  const manifest = (await (await fetch(new URL("manifest.json", base))).json()) as Manifest;
  const folder = new URL(manifest.pyodide, base).href;
  progress(0.05, "Loading Python");
  const { loadPyodide } = (await import(new URL("pyodide.mjs", folder).href)) as {
    loadPyodide(options: { indexURL: string }): Promise<Pyodide>;
  };
  const python = await loadPyodide({ indexURL: folder });
  progress(0.4, "Loading packages");
  const all = manifest.packages.length + manifest.wheels.length;
  let loaded = 0;
  const step = (names: string[]) =>
    python.loadPackage(names, { messageCallback: () => {} }).then(() => {
      loaded += names.length;
      progress(0.4 + (0.45 * loaded) / Math.max(1, all), "Loading packages");
    });
  await step(manifest.packages);
  await step(manifest.wheels.map((wheel) => new URL(wheel, base).href));
  progress(0.88, "Starting archcalc");
  const call = python.runPython("from archcalc.cli.serve.functions import call_text\ncall_text");
  progress(1, "Ready");
  return call as (name: string, request: string) => string;
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
    answer = JSON.parse((await engine)(name, JSON.stringify(request)));
  } catch (error) {
    answer = { ok: false, errors: [{ message: `archcalc failed: ${error}`, severity: "error" }] };
  }
  say({ id, answer });
});
