/** A hand calculation compared with the network: a verdict and its reason next to each cell. */

import type { CheckedCell } from "../api";
import { announce, button, h, spoken } from "../dom";
import { toBase64 } from "../link";
import { Refused, type Session, type View } from "../session";

const MARKS: Record<string, string> = { right: "✓", carried_forward: "✓", wrong: "✗", empty: "–", unreadable: "?" };

export class CheckView implements View {
  readonly title = "Check";
  readonly element = h("div", { class: "check frame", tabindex: "0", role: "region", "aria-label": "Check" });
  private readonly text = h("textarea", {
    id: "check-text",
    rows: "7",
    spellcheck: "false",
    placeholder: "layer,params\nconv1,34944\nconv2,614656",
  });
  private readonly file = h("input", {
    type: "file",
    id: "check-file",
    accept: ".csv,.tsv,.txt,.md,.xlsx,.ods,.json,.html",
    change: () => this.chosen(),
  });
  private readonly result = h("div", { class: "result", role: "status" });

  constructor(
    private readonly session: Session,
    private readonly failed: (error: unknown) => void,
  ) {
    this.element.append(
      h("label", { for: "check-text" }, "Your table, or a line for each layer"),
      this.text,
      h(
        "div",
        { class: "tools" },
        button("Check", () => this.run({ table: this.text.value }), { class: "primary" }),
        h("label", { class: "field", for: "check-file" }, h("span", {}, "or a spreadsheet"), this.file),
      ),
      this.result,
    );
    session.on("network", () => this.result.replaceChildren());
  }

  async show(): Promise<void> {}

  /** A file that was dropped on the page or chosen here. */
  async read(file: File): Promise<void> {
    const bytes = new Uint8Array(await file.arrayBuffer());
    await this.run({ file: toBase64(bytes), filename: file.name });
  }

  private chosen(): void {
    const file = this.file.files?.[0];
    if (file) this.read(file).catch(this.failed);
  }

  private async run(what: { table: string } | { file: string; filename: string }): Promise<void> {
    const { session } = this;
    try {
      const { convention } = session.state;
      const request = { source: session.source, ...what, ...(convention ? { convention } : {}) };
      const answer = await session.ask("check", request);
      this.draw(answer.result.cells, answer.summary ?? "");
    } catch (error) {
      if (!(error instanceof Refused)) {
        this.failed(error);
        return;
      }
      this.result.replaceChildren(h("p", { class: "wrong" }, error.message));
    }
  }

  private draw(cells: readonly CheckedCell[], summary: string): void {
    const right = cells.filter(({ verdict }) => verdict === "right").length;
    const text = summary || `${right} of ${cells.length} are right.`;
    announce(text);
    const body = h("tbody");
    for (const cell of cells) {
      const { label, layer, quantity, verdict, diagnoses, derivation, note } = cell;
      const reason = diagnoses?.[0]?.explanation ?? note ?? "";
      const shown = verdict === "wrong" ? (derivation?.[0] ?? "") : "";
      const name = layer ? button(label, () => this.session.choose(layer, "check"), { class: "name" }) : label;
      body.append(
        h(
          "tr",
          { class: verdict },
          h("th", { scope: "row" }, name),
          h("td", {}, spoken(quantity)),
          h("td", { class: "right" }, cell.text),
          h("td", { class: "verdict" }, `${MARKS[verdict] ?? "·"} ${spoken(verdict)}`),
          h("td", {}, reason, shown ? h("code", {}, shown) : null),
        ),
      );
    }
    const head = ["layer", "quantity", "yours", "verdict", "why"].map((word) => h("th", { scope: "col" }, word));
    this.result.replaceChildren(
      h("p", { class: "summary" }, text),
      h(
        "table",
        { class: "rows" },
        h("caption", { class: "unseen" }, "Verdicts"),
        h("thead", {}, h("tr", {}, ...head)),
        body,
      ),
    );
  }
}
