/** A second network next to the first: totals, and what differs layer by layer. */

import type { Column, Comparison } from "../api";
import { apart, button, h, select } from "../dom";
import { type Session, sourceOf, type View } from "../session";
import { say } from "../words";

const sides = () =>
  ({ both: say("equal"), changed: say("changed"), left: say("only left"), right: say("only right") }) as const;

export class CompareView implements View {
  readonly title = say("Compare");
  readonly element = h("div", { class: "compare" });
  private readonly tools = h("form", { class: "tools" });
  private readonly frame = h("div", { class: "frame", tabindex: "0", role: "region", "aria-label": say("Comparison") });
  private readonly other = h("input", {
    id: "other",
    list: "names",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: say("vgg16, or a pattern"),
  });
  private only = "all";

  constructor(private readonly session: Session) {
    this.tools.append(
      h("label", { class: "field", for: "other" }, h("span", {}, say("With")), this.other),
      h("button", { type: "submit", class: "primary" }, say("Compare")),
      button(say("The network as it is now"), () => this.keep(), {
        title: say("Keep this spec at the right and go on changing the one in the editor"),
      }),
      select(
        say("Rows"),
        [
          ["all", say("all")],
          ["different", say("that differ")],
        ],
        "all",
        (only) => {
          this.only = only;
          this.session.show({});
        },
      ),
    );
    this.tools.addEventListener("submit", (event) => {
      event.preventDefault();
      this.session.show({ other: this.other.value.trim(), otherInput: "", otherParameters: {} });
    });
    this.element.append(this.tools, this.frame);
  }

  private keep(): void {
    const { text, input, parameters } = this.session.state;
    this.session.show({ other: text, otherInput: input, otherParameters: parameters });
  }

  async show(session: Session, signal: AbortSignal): Promise<void> {
    const { other, convention } = session.state;
    this.other.value = other.includes("\n") ? "" : other;
    if (!other) {
      this.frame.replaceChildren(
        h(
          "p",
          { class: "empty" },
          say("Name a second network: its layers and totals stand next to those of this one."),
        ),
      );
      return;
    }
    const right = sourceOf(other, session.state.otherInput, session.state.otherParameters);
    const request = { source: session.source, other: right, ...(convention ? { convention } : {}) };
    this.draw(await session.ask("compare", request, signal));
  }

  private draw({ titles, totals, columns, rows }: Comparison): void {
    const [left, right] = titles;
    const sums = h("tbody");
    for (const total of totals) {
      sums.append(
        h(
          "tr",
          {},
          h("th", { scope: "row" }, total.label),
          ...[total.left, total.right, total.ratio ?? ""].map((text) => h("td", { class: "right" }, apart(text))),
        ),
      );
    }
    const shown = columns.filter(({ key }) => key !== "name");
    const body = h("tbody");
    for (const row of rows) {
      if (this.only === "different" && row.side === "both") continue;
      const line = h("tr", { class: `side-${row.side}` });
      for (const name of [row.left, row.right]) line.append(h("td", { class: "name" }, apart(name ?? "–")));
      line.append(h("td", {}, sides()[row.side]));
      for (const { key, align } of shown) {
        const [a, b] = row.cells[key] ?? [null, null];
        const cell = h("td", { class: align ?? "left" });
        if (row.side === "changed" && a !== b)
          cell.append(h("del", {}, apart(a ?? "–")), " ", h("ins", {}, apart(b ?? "–")));
        else cell.append(apart((row.side === "right" ? b : a) ?? ""));
        line.append(cell);
      }
      body.append(line);
    }
    const head = (...names: (string | Column)[]) => {
      const cells = names.map((name) =>
        typeof name === "string"
          ? h("th", { scope: "col" }, name)
          : h("th", { scope: "col", class: name.align ?? "left" }, name.heading),
      );
      return h("thead", {}, h("tr", {}, ...cells));
    };
    const number = (heading: string): Column => ({ key: heading, heading, align: "right" });
    this.frame.replaceChildren(
      h(
        "table",
        { class: "rows totals-compared" },
        h("caption", { class: "unseen" }, say("Totals")),
        head(say("total"), number(left), number(right), number(say("ratio"))),
        sums,
      ),
      h(
        "table",
        { class: "rows" },
        h("caption", { class: "unseen" }, say("Layers")),
        head(left, right, say("difference"), ...shown),
        body,
      ),
    );
  }
}
