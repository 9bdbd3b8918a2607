/** One chart of the network. */

import { h, select, spoken } from "../dom";
import { sanitiseSvg } from "../sanitise";
import type { Session, View } from "../session";

export class ChartsView implements View {
  readonly title = "Charts";
  readonly element = h("div", { class: "charts" });
  private readonly tools = h("div", { class: "tools" });
  private readonly frame = h("div", { class: "frame", tabindex: "0", role: "region", "aria-label": "Chart" });

  constructor(private readonly session: Session) {
    this.element.append(this.tools, this.frame);
  }

  async show(session: Session, signal: AbortSignal): Promise<void> {
    const kinds = session.catalogue.charts ?? [];
    const kind = session.state.chart || kinds[0]?.kind;
    if (!kind) {
      this.frame.replaceChildren(h("p", { class: "empty" }, "This server draws no charts."));
      return;
    }
    if (!this.tools.childElementCount) {
      const options = kinds.map((one): [string, string] => [one.kind, one.title || spoken(one.kind)]);
      this.tools.append(select("Chart", options, kind, (chart) => this.session.show({ chart })));
    }
    const { svg } = await session.ask("chart", { source: session.source, kind, theme: session.theme }, signal);
    const picture = sanitiseSvg(svg);
    picture.setAttribute("role", "img");
    picture.removeAttribute("aria-labelledby");
    picture.setAttribute("aria-label", kinds.find((one) => one.kind === kind)?.title || spoken(kind));
    this.frame.replaceChildren(picture);
  }
}
