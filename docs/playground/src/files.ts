/** Files in and out: model files to import, tables to check, exports to keep. */

import { announce, button, download, h, spoken } from "./dom";
import { fromBase64, toBase64 } from "./link";
import { pdf, png } from "./pixels";
import { depthOf, Refused, type Session } from "./session";
import { slim } from "./slim";
import { say } from "./words";

const TABLES = /\.(csv|tsv|tab|txt|xlsx|xlsm|ods|md|markdown|tex|docx|pdf|ipynb|html?)$/i;
const SPECS = /\.ya?ml$/i;
/** The largest file whose text is looked at to see what it is. */
const MOST_TEXT = 4 * 1024 * 1024;
/** The largest model file that the functions take: in base64 it has a third more. */
const MOST = 47 * 1024 * 1024;

const EXPORTS = [
  ["yaml", "YAML spec"],
  ["torch", "PyTorch code"],
  ["keras", "Keras code"],
  ["csv", "table as CSV"],
  ["markdown", "table as Markdown"],
  ["json", "report as JSON"],
  ["svg", "picture as SVG"],
  ["png", "picture as PNG"],
  ["pdf", "picture as PDF"],
].map(([to, title]) => ({ to, title }) as { to: string; title: string });

/** What holds the table as the page shows it. */
const REPORTS = new Set(["csv", "markdown", "json"]);

/** Pictures that the page can make of an SVG, with their media types. */
const PICTURES: Record<string, string> = { png: "image/png", pdf: "application/pdf" };

export interface Takers {
  /** The spec of a model file. */
  spec(text: string, notes: readonly string[]): void;
  /** A table with numbers to check. */
  table(file: File): Promise<void>;
}

/** Whether a file holds numbers to check: of endings that models and specs have too, the text says it. */
export async function isTable(file: File): Promise<boolean> {
  if (TABLES.test(file.name)) return true;
  if (file.size > MOST_TEXT) return false;
  if (SPECS.test(file.name)) return !/^["']?(?:layers|networks|name|title)["']?\s*:/m.test(await file.text());
  if (!/\.json$/i.test(file.name)) return false;
  try {
    const found: unknown = JSON.parse(await file.text());
    return typeof found === "object" && found !== null && !("class_name" in found);
  } catch {
    return false;
  }
}

/** Read a file; `input`: the size of its input, where it does not say it. */
export async function take(session: Session, file: File, takers: Takers, input = ""): Promise<void> {
  if (await isTable(file)) return takers.table(file);
  if (SPECS.test(file.name)) return takers.spec(await file.text(), []);
  const size = input ? { input } : {};
  const read = (filename: string, data: Uint8Array) =>
    session.call("import_file", { filename, data: toBase64(data), ...size });
  let answer = file.size > MOST ? null : await read(file.name, new Uint8Array(await file.arrayBuffer()));
  if (!answer?.ok && (!answer || answer.missing)) {
    // What is large, or what nothing here reads, is a network without its weights.
    const small = await slim(file, MOST);
    if (small) answer = await read(small.filename, small.data);
  }
  if (!answer) {
    throw new Error(
      say(
        "{file} is too large to be read here, and it cannot be read without its weights. `archcalc import {file}` may.",
        {
          file: file.name,
        },
      ),
    );
  }
  if (!answer.ok && answer.missing === "h5py") {
    throw new Error(say("{file} is damaged, or holds weights without a network.", { file: file.name }));
  }
  if (!answer.ok) throw new Refused(answer.errors, input ? "input" : answer.needs);
  takers.spec(answer.text, answer.notes ?? []);
}

/** Files dropped anywhere on the page. */
export function listenForDrops(taken: (file: File) => void): void {
  const over = (on: boolean) => document.body.classList.toggle("dropping", on);
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    over(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) over(false);
  });
  // Before the editor hears of it, which would put the file's text into the spec.
  const drop = (event: DragEvent) => {
    over(false);
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    event.stopPropagation();
    taken(file);
  };
  document.addEventListener("drop", drop, { capture: true });
}

export function exportMenu(session: Session, failed: (error: unknown) => void): HTMLDetailsElement {
  const list = h("div", { class: "menu" });
  const run = async (to: string) => {
    menu.open = false;
    if (PICTURES[to] && !session.catalogue.exports?.some((one) => one.to === to)) return convert(to);
    const { folded } = session.state;
    const choices = REPORTS.has(to) ? { ...session.reading, ...depthOf(folded) } : session.look;
    const answer = await session.ask("export", { source: session.source, to, ...choices });
    download(answer.filename, answer.mime, fromBase64(answer.data));
    announce(say("{file} is saved.", { file: answer.filename }));
  };
  /** A picture that Python does not convert here: the page does. */
  const convert = async (to: string) => {
    const { svg } = await session.ask("draw", { source: session.source, ...session.look, theme: "light" });
    // The name that Python gives.
    const stem = (session.analysis?.name ?? "").replace(/[^\p{L}\p{N}_@.-]+/gu, "_").slice(0, 80);
    const filename = `${stem.replace(/^\.+|\.+$/g, "") || "network"}.${to}`;
    download(filename, PICTURES[to] ?? "", await (to === "png" ? png : pdf)(svg));
    announce(say("{file} is saved.", { file: filename }));
  };
  const menu = h(
    "details",
    {
      class: "popup",
      toggle: () => {
        const listed = session.catalogue.exports ?? EXPORTS;
        // What the page makes stands next to the picture it is made of, where Python has it too.
        const made = EXPORTS.filter(({ to }) => PICTURES[to] && !listed.some((one) => one.to === to));
        const exports = listed.flatMap((one) => (one.to === "svg" ? [one, ...made] : [one]));
        list.replaceChildren(
          ...exports.map(({ to, title }) => button(spoken(title), () => run(to).catch(failed), { "data-to": to })),
        );
      },
    },
    h("summary", {}, say("Export")),
    list,
  );
  return menu;
}
