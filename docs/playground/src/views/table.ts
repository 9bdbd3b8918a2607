/** The table of the layers: sorted by a click on a heading, with the columns that are wanted. */

import type { Column, Row } from "../api";
import { apart, button, h, select } from "../dom";
import { type Analysis, depthOf, type Session, type View } from "../session";
import { say } from "../words";

const depths = () =>
  [
    ["", say("all layers")],
    ["1", say("1 level")],
    ["2", say("2 levels")],
    ["3", say("3 levels")],
  ] as const;

/** A number for the sort: the exact one, else what a cell reads as; null, where nothing is shown, comes last. */
export function sortValue(row: Row, key: string): number | string | null {
  const text = row.cells[key] ?? "";
  if (text === "–") return null;
  const value = row.values?.[key];
  if (value !== undefined) return value;
  const number = Number.parseFloat(text.replaceAll(",", ""));
  return Number.isFinite(number) ? number : text || null;
}

/** Rows in the order of a column; equal ones keep theirs. */
export function sorted(rows: readonly Row[], key: string, order: "descending" | "ascending"): Row[] {
  const sign = order === "descending" ? -1 : 1;
  return [...rows].sort((left, right) => {
    const [a, b] = key === "name" ? [left.name, right.name] : [sortValue(left, key), sortValue(right, key)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * String(a).localeCompare(String(b), undefined, { numeric: true });
  });
}

export class TableView implements View {
  readonly title = say("Table");
  readonly element = h("div", { class: "tableview" });
  private readonly tools = h("div", { class: "tools" });
  private readonly frame = h("div", {
    class: "frame",
    tabindex: "0",
    role: "region",
    "aria-label": say("Table of layers"),
  });
  private order: { key: string; order: "descending" | "ascending" } | null = null;
  private analysis: Analysis | null = null;

  constructor(private readonly session: Session) {
    this.element.append(this.tools, this.frame);
  }

  async show(session: Session, signal: AbortSignal): Promise<void> {
    this.drawTools();
    for (const list of this.tools.querySelectorAll("select")) list.value = session.state.folded;
    const analysis = await this.folded(session, signal);
    if (analysis && analysis !== this.analysis) {
      this.analysis = analysis;
      this.draw();
    }
  }

  /** The analysis to show: that of every layer, or one with blocks as rows. */
  private async folded(session: Session, signal: AbortSignal): Promise<Analysis | null> {
    const folded = depthOf(session.state.folded);
    if (!folded.depth) return session.analysis;
    const analysis = await session.ask("analyse", { source: session.source, ...folded, ...session.reading }, signal);
    return { ok: true, ...analysis };
  }

  mark(layers: readonly string[], scroll: boolean): void {
    const wanted = new Set(layers);
    let first: Element | null = null;
    for (const row of this.frame.querySelectorAll<HTMLElement>("tbody tr")) {
      const inside = wanted.has(row.dataset.layer ?? "");
      row.classList.toggle("chosen", inside);
      row.querySelector("button")?.setAttribute("aria-pressed", String(inside));
      if (inside) first ??= row;
    }
    if (first && scroll) first.scrollIntoView({ block: "nearest" });
  }

  private drawTools(): void {
    const { session } = this;
    if (this.tools.childElementCount || !session.catalogue.quantities.length) return;
    const shown = () => new Set((this.analysis ?? session.analysis)?.columns.map((column) => column.key));
    const list = h("div", { class: "menu columns" });
    const menu = h(
      "details",
      {
        class: "popup",
        toggle: () => {
          const now = shown();
          list.replaceChildren(
            ...session.catalogue.quantities
              .filter(({ key }) => key !== "layer")
              .map(({ key, heading, unit }) => {
                const box = h("input", {
                  type: "checkbox",
                  checked: now.has(key),
                  value: key,
                  change: () => this.columns(list),
                });
                return h("label", {}, box, ` ${heading}`, unit ? h("small", {}, ` ${unit}`) : null);
              }),
            button(say("As at first"), () => {
              menu.open = false;
              session.show({ columns: [] });
            }),
          );
        },
      },
      h("summary", {}, say("Columns")),
      list,
    );
    this.tools.append(
      select(say("Depth"), depths(), session.state.folded, (folded) => session.show({ folded })),
      menu,
      h("span", { class: "hint" }, say("A click on a heading sorts.")),
    );
  }

  private columns(list: HTMLElement): void {
    const columns = [...list.querySelectorAll<HTMLInputElement>("input:checked")].map((box) => box.value);
    this.session.show({ columns });
  }

  private draw(): void {
    const analysis = this.analysis;
    if (!analysis) return;
    const rows = this.order ? sorted(analysis.rows, this.order.key, this.order.order) : analysis.rows;
    const columns = analysis.columns.filter((column) => !["name", "layer"].includes(column.key));
    const head = h("tr", {}, this.heading({ key: "name", heading: say("layer"), align: "left" }));
    for (const column of columns) head.append(this.heading(column));
    const body = h("tbody");
    for (const row of rows) {
      const name = button("", () => this.session.choose(row.name, "table"), {
        class: "name",
        "aria-pressed": "false",
      });
      // A long name breaks after its slashes.
      for (const part of row.name.split(/(?<=\/)/)) name.append(part, h("wbr"));
      const line = h("tr", { "data-layer": row.name }, h("th", { scope: "row" }, name));
      line.style.setProperty("--depth", String(row.depth ?? 0));
      for (const { key, align } of columns)
        line.append(h("td", { class: align ?? "left" }, apart(row.cells[key] ?? "")));
      line.addEventListener("click", (event) => {
        if (!(event.target as Element).closest("button")) this.session.choose(row.name, "table");
      });
      body.append(line);
    }
    const notes = analysis.notes.map((note) => h("li", {}, note));
    this.frame.replaceChildren(
      h("table", { class: "rows" }, h("caption", { class: "unseen" }, say("Layers")), h("thead", {}, head), body),
      notes.length ? h("ul", { class: "notes" }, ...notes) : h("span"),
    );
    this.mark(this.session.state.layer ? [this.session.state.layer] : [], false);
  }

  private heading({ key, heading, align }: Column): HTMLElement {
    const now = this.order?.key === key ? this.order.order : null;
    const next = key === "name" ? ["ascending", "descending"] : ["descending", "ascending"];
    const sort = () => {
      const place = now ? next.indexOf(now) + 1 : 0;
      const order = next[place] as "descending" | "ascending" | undefined;
      this.order = order ? { key, order } : null;
      this.draw();
      this.frame.scrollTop = 0;
      this.frame.querySelector<HTMLElement>(`th[data-key="${CSS.escape(key)}"] button`)?.focus();
    };
    return h("th", { scope: "col", class: align ?? "left", "data-key": key, "aria-sort": now }, button(heading, sort));
  }
}
