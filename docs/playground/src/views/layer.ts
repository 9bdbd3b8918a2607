/** The chosen layer: how each of its numbers is calculated. It stands below every pane. */

import { apart, button, h } from "../dom";
import { Latest } from "../latest";
import { sanitiseHtml } from "../sanitise";
import { Refused, type Session } from "../session";
import { say } from "../words";

/** As many letters and signs before the first `=` stay in its line. */
const SHORT = 3;

/** A formula in parts that a line can break between: before each `=`, but for the first of H₂ = … */
export function breakable(formula: DocumentFragment): DocumentFragment {
  for (const math of formula.querySelectorAll("math")) {
    const row = math.children.length === 1 ? math.children[0] : null;
    if (row?.localName !== "mrow") continue;
    const parts: Element[][] = [[]];
    for (const child of row.children) {
      const equals = child.localName === "mo" && child.textContent === "=";
      const last = parts.at(-1) ?? [];
      if (
        equals &&
        (last.map((one) => one.textContent).join("").length > SHORT || last.some((one) => one.textContent === "="))
      )
        parts.push([]);
      parts.at(-1)?.push(child);
    }
    const pieces = parts.map((part) => {
      const piece = math.cloneNode(false) as Element;
      const inside = row.cloneNode(false) as Element;
      inside.append(...part);
      piece.append(inside);
      return piece;
    });
    math.replaceWith(...pieces.flatMap((piece, place) => (place ? [" ", piece] : [piece])));
  }
  return formula;
}

export class LayerPanel {
  readonly element = h("section", { class: "layer", "aria-label": say("Chosen layer"), hidden: true });
  private readonly latest: Latest;

  constructor(
    private readonly session: Session,
    failed: (error: unknown) => void,
    private readonly drawn: () => void,
  ) {
    this.latest = new Latest((signal) => this.show(signal), failed);
    session.on("layer", () => this.start());
    session.on("analysed", () => this.start());
    document.addEventListener("keydown", ({ key, defaultPrevented }) => {
      // A menu, a dialog and the list of completions close first.
      if (key !== "Escape" || defaultPrevented || document.querySelector("dialog[open], details.popup[open]")) return;
      this.close();
    });
  }

  private start(): void {
    if (this.session.state.layer) this.latest.start(30);
    else {
      this.latest.stop();
      this.element.hidden = true;
    }
  }

  private close(): void {
    this.session.choose("", "panel");
  }

  private step(by: number): void {
    const rows = this.session.analysis?.rows ?? [];
    const at = rows.findIndex((row) => row.name === this.session.state.layer);
    const next = rows[at + by];
    if (at >= 0 && next) this.session.choose(next.name, "panel");
  }

  private async show(signal: AbortSignal): Promise<void> {
    const { session } = this;
    const { layer, convention } = session.state;
    const rows = session.analysis?.rows ?? [];
    const at = rows.findIndex((row) => row.name === layer);
    const row = rows[at];
    const body = h("div", { class: "derivation" });
    try {
      const request = { source: session.source, layer, ...(convention ? { convention } : {}) };
      const answer = await session.ask("explain", request, signal);
      const list = h("dl");
      for (const item of answer.items) {
        const formula = h("dd", {});
        if (item.html) formula.append(breakable(sanitiseHtml(item.html)));
        else formula.append(apart(item.result));
        list.append(h("dt", {}, item.heading || item.quantity), formula);
      }
      if (answer.heading) body.append(h("p", { class: "what" }, answer.heading));
      body.append(list);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      body.append(h("p", { class: "what" }, error.message));
    }
    const focused = this.element.contains(document.activeElement)
      ? (document.activeElement as HTMLElement).dataset.act
      : undefined;
    this.element.replaceChildren(
      h(
        "header",
        {},
        h("h2", {}, layer),
        row?.op ? h("span", { class: "op" }, row.op) : null,
        button("‹", () => this.step(-1), {
          "aria-label": say("Layer before"),
          "data-act": "before",
          disabled: at <= 0,
        }),
        button("›", () => this.step(1), {
          "aria-label": say("Layer after"),
          "data-act": "after",
          disabled: at < 0 || at + 1 >= rows.length,
        }),
        button("×", () => this.close(), { "aria-label": say("Close"), "data-act": "close" }),
      ),
      body,
    );
    this.element.hidden = false;
    this.drawn();
    if (focused) this.element.querySelector<HTMLElement>(`[data-act=${focused}]`)?.focus();
  }
}
