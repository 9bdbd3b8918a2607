/** Sizing rules: what one would build in another way. */

import type { Edit } from "../api";
import { button, h, refill, spoken } from "../dom";
import type { Session, View } from "../session";
import { say } from "../words";

export class LintView implements View {
  readonly title = say("Lint");
  readonly element = h("div", { class: "lint frame", tabindex: "0", role: "region", "aria-label": say("Findings") });

  constructor(
    private readonly session: Session,
    private readonly mend: (edit: Edit) => () => void,
  ) {}

  async show(session: Session, signal: AbortSignal): Promise<void> {
    const { findings } = await session.ask("lint", { source: session.source }, signal);
    if (!findings.length) {
      refill(this.element, h("p", { class: "empty" }, say("No sizing rule has anything to say about this network.")));
      return;
    }
    const list = h("ol", { class: "findings" });
    for (const { id, layer, message, reason, cost, fix } of findings) {
      list.append(
        h(
          "li",
          {},
          h(
            "div",
            { class: "where" },
            layer ? button(layer, () => this.session.choose(layer, "lint"), { class: "name" }) : null,
            h("code", {}, spoken(id)),
          ),
          // Findings are in English whatever the language of the page is.
          h("p", { dir: "auto" }, message),
          reason ? h("p", { class: "quiet", dir: "auto" }, reason) : null,
          cost ? h("p", { class: "quiet", dir: "ltr" }, cost) : null,
          fix ? button(fix.title, this.mend(fix), { dir: "auto" }) : null,
        ),
      );
    }
    refill(this.element, list);
  }
}
