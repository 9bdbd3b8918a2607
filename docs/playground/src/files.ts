/** Files in and out: model files to import, tables to check, exports to keep. */

import { announce, button, download, h } from "./dom";
import { fromBase64, toBase64 } from "./link";
import type { Session } from "./session";

const TABLES = /\.(csv|tsv|xlsx|ods|md|txt)$/i;
const SPECS = /\.ya?ml$/i;
/** The largest model file that the functions take. */
const MOST = 64 * 1024 * 1024;

const EXPORTS = [
  ["yaml", "Spec (YAML)"],
  ["torch", "PyTorch code"],
  ["keras", "Keras code"],
  ["csv", "Table (CSV)"],
  ["markdown", "Table (Markdown)"],
  ["json", "Report (JSON)"],
  ["svg", "Diagram (SVG)"],
  ["png", "Diagram (PNG)"],
  ["pdf", "Diagram (PDF)"],
].map(([to, title]) => ({ to, title }) as { to: string; title: string });

export interface Takers {
  /** The spec of a model file. */
  spec(text: string, notes: readonly string[]): void;
  /** A table with numbers to check. */
  table(file: File): Promise<void>;
}

export async function take(session: Session, file: File, takers: Takers): Promise<void> {
  if (TABLES.test(file.name)) return takers.table(file);
  if (SPECS.test(file.name)) return takers.spec(await file.text(), []);
  if (file.size > MOST) throw new Error(`${file.name} has more than 64 MiB. Take it without its weights.`);
  announce(`${file.name} is read.`);
  const data = toBase64(new Uint8Array(await file.arrayBuffer()));
  const answer = await session.ask("import_file", { filename: file.name, data });
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
  document.addEventListener("drop", (event) => {
    over(false);
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    taken(file);
  });
}

export function exportMenu(session: Session, failed: (error: unknown) => void): HTMLDetailsElement {
  const list = h("div", { class: "menu" });
  const run = async (to: string) => {
    menu.open = false;
    const answer = await session.ask("export", { source: session.source, to });
    download(answer.filename, answer.mime, fromBase64(answer.data));
    announce(`${answer.filename} is saved.`);
  };
  const menu = h(
    "details",
    {
      class: "popup",
      toggle: () => {
        const exports = session.catalogue.exports ?? EXPORTS;
        list.replaceChildren(
          ...exports.map(({ to, title }) => button(title, () => run(to).catch(failed), { "data-to": to })),
        );
      },
    },
    h("summary", {}, "Export"),
    list,
  );
  return menu;
}
