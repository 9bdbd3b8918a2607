// Builds the page into archcalc/cli/serve/page/dist/, which `archcalc serve` serves and the wheel holds.
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const common = { bundle: true, format: "esm", target: "es2022", logLevel: "info", absWorkingDir: here };

if (process.argv.includes("--tests")) {
  const tests = (await readdir(join(here, "test"))).filter((name) => name.endsWith(".test.ts"));
  await rm(join(here, "test/out"), { recursive: true, force: true });
  await esbuild.build({
    ...common,
    entryPoints: tests.map((name) => join(here, "test", name)),
    outdir: join(here, "test/out"),
    outExtension: { ".js": ".mjs" },
    platform: "node",
    packages: "external",
    logLevel: "warning",
  });
} else {
  const out = join(here, "../../archcalc/cli/serve/page/dist");
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await cp(join(here, "static"), out, { recursive: true });
  const page = {
    ...common,
    entryPoints: { page: "src/main.ts", worker: "src/worker.ts", widget: "src/widget.ts", hdf5: "src/hdf5.ts" },
    outdir: out,
    minify: true,
    legalComments: "none",
    // The worker imports Pyodide from where it was put, by its address; the page what reads HDF5.
    external: ["./pyodide/*", "./hdf5.js"],
  };
  if (process.argv.includes("--watch")) {
    const context = await esbuild.context({ ...page, minify: false, sourcemap: "inline" });
    await context.watch();
  } else {
    await esbuild.build(page);
  }
}
