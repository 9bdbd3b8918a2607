/** A hand calculation compared with the network: a verdict and its reason next to each cell. */

import type { CheckedCell } from "../api";
import { announce, apart, button, h, spoken } from "../dom";
import { toBase64 } from "../link";
import { Refused, type Session, type View } from "../session";
import { say } from "../words";

export const MARKS: Record<string, string> = {
  right: "✓",
  carried_forward: "✓",
  wrong: "✗",
  empty: "–",
  unreadable: "?",
};

/** The longest table of a page as CSV; empty where there is none. Nothing of the page is run or loaded. */
export function tableIn(html: string): string {
  const tables = [...new DOMParser().parseFromString(html, "text/html").querySelectorAll("table")];
  const longest = tables.reduce<HTMLTableElement | null>(
    (one, other) => (one && one.rows.length >= other.rows.length ? one : other),
    null,
  );
  const text = (cell: Element) => (cell.textContent ?? "").replaceAll(/\s+/g, " ").trim().replaceAll('"', '""');
  return [...(longest?.rows ?? [])].map((row) => [...row.cells].map((cell) => `"${text(cell)}"`).join(",")).join("\n");
}

export class CheckView implements View {
  readonly title = say("Check");
  readonly element = h("div", { class: "check frame", tabindex: "0", role: "region", "aria-label": say("Check") });
  private readonly text = h("textarea", {
    input: () => {
      this.result.classList.add("outdated");
      // What is checked next is what was written last.
      if (this.text.value.trim()) this.file.value = "";
    },
    id: "check-text",
    rows: "7",
    spellcheck: "false",
    dir: "auto",
    placeholder: "layer,params\nconv1,34944\nconv2,614656",
  });
  private readonly file = h("input", {
    type: "file",
    id: "check-file",
    accept: ".csv,.tsv,.txt,.md,.tex,.xlsx,.docx,.pdf,.ipynb,.yaml,.json,.html",
    // A file that was changed since is chosen again.
    click: () => {
      this.file.value = "";
    },
    change: () => this.chosen(true),
  });
  /** The network that the result is about, and how often there was something to check: the last time counts. */
  private checked = "";
  private asked = 0;
  private readonly result = h("div", { class: "result" });

  constructor(
    private readonly session: Session,
    private readonly failed: (error: unknown) => void,
  ) {
    this.element.append(
      h("label", { for: "check-text" }, say("Your table with its headings, or a total: 34944 + 614656")),
      this.text,
      h(
        "div",
        { class: "tools" },
        button(say("Check"), () => this.chosen(), { class: "primary" }),
        h("label", { class: "field", for: "check-file" }, h("span", {}, say("or a file")), this.file),
      ),
      this.result,
    );
    session.on("network", () => this.result.replaceChildren());
  }

  /** Verdicts on another network, which a link has replaced, are not shown. */
  async show(session: Session): Promise<void> {
    if (this.checked !== JSON.stringify([session.source, session.state.convention])) this.result.replaceChildren();
  }

  /** A file that was dropped on the page or chosen here. */
  async read(file: File): Promise<void> {
    const asked = ++this.asked;
    const held = new DataTransfer();
    held.items.add(file);
    this.file.files = held.files;
    this.text.value = "";
    if (/\.html?$/i.test(file.name)) {
      const table = tableIn(await file.text());
      if (asked !== this.asked) return;
      if (!table) throw new Error(say("There is no table in {file}.", { file: file.name }));
      return this.run({ table });
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    if (asked !== this.asked) return;
    await this.run({ file: toBase64(bytes), filename: file.name });
  }

  /** Check the file where it is asked for or there is no text. */
  private chosen(isFile = false): void {
    const file = this.file.files?.[0];
    if (file && (isFile || !this.text.value.trim())) this.read(file).catch(this.failed);
    else if (!isFile) this.run({ table: this.text.value });
  }

  private async run(what: { table: string } | { file: string; filename: string }): Promise<void> {
    const { session } = this;
    const asked = ++this.asked;
    this.result.classList.remove("outdated");
    this.result.replaceChildren(h("p", { class: "empty" }, say("Checking …")));
    announce(say("Checking …"));
    this.checked = JSON.stringify([session.source, session.state.convention]);
    try {
      const { convention } = session.state;
      const request = { source: session.source, ...what, ...(convention ? { convention } : {}) };
      const answer = await session.ask("check", request);
      if (asked !== this.asked) return;
      this.draw(answer.result.cells, answer.summary ?? "");
    } catch (error) {
      if (asked !== this.asked) return;
      if (!(error instanceof Refused)) {
        this.result.replaceChildren();
        this.failed(error);
        return;
      }
      this.result.replaceChildren(h("p", { class: "wrong" }, error.message));
      announce(error.message);
    }
  }

  private draw(cells: readonly CheckedCell[], summary: string): void {
    const right = cells.filter(({ verdict }) => verdict === "right").length;
    const text = summary || say("{right} of {all} are right.", { right, all: cells.length });
    announce(text);
    const body = h("tbody", { role: "rowgroup" });
    for (const cell of cells) {
      const { label, layer, heading, verdict, derivation, expected, reason } = cell;
      // Nothing is asked there, as for the output of all layers together.
      if (verdict === "empty" && layer && !expected && !reason) continue;
      const shown = verdict === "wrong" ? (derivation?.[0] ?? "") : "";
      const name = layer ? button(label, () => this.session.choose(layer, "check"), { class: "name" }) : label;
      body.append(
        h(
          "tr",
          { class: verdict, role: "row" },
          h("th", { scope: "row", role: "rowheader" }, name),
          h("td", { role: "cell" }, heading),
          h("td", { role: "cell", class: "right" }, apart(cell.text)),
          h("td", { role: "cell", class: "verdict" }, `${MARKS[verdict] ?? "·"} ${spoken(verdict)}`),
          h("td", { role: "cell" }, reason || null, shown ? h("code", {}, h("bdi", { dir: "ltr" }, shown)) : null),
        ),
      );
    }
    const head = [say("layer"), say("quantity"), say("yours"), say("verdict"), say("why")].map((word) =>
      h("th", { scope: "col", role: "columnheader", class: word === say("yours") ? "right" : null }, word),
    );
    // Its roles are said, since a narrow page lays it out in another way.
    this.result.replaceChildren(
      h("p", { class: "summary" }, text),
      h(
        "table",
        { class: "rows", role: "table" },
        h("caption", { class: "unseen" }, say("Verdicts")),
        h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...head)),
        body,
      ),
    );
  }
}
