/** One chart of the network. */

import { h, select, spoken } from "../dom";
import type { Session, View } from "../session";
import { chartPicture } from "../vega";
import { say } from "../words";

export class ChartsView implements View {
  readonly title = say("Charts");
  readonly element = h("div", { class: "charts" });
  private readonly tools = h("div", { class: "tools" });
  private readonly frame = h("div", { class: "frame", tabindex: "0", role: "region", "aria-label": say("Chart") });

  constructor(private readonly session: Session) {
    this.element.append(this.tools, this.frame);
  }

  async show(session: Session, signal: AbortSignal): Promise<void> {
    const kinds = session.catalogue.charts ?? [];
    const kind = session.state.chart || kinds[0]?.kind;
    if (!kind) {
      this.frame.replaceChildren(h("p", { class: "empty" }, say("The catalogue is read.")));
      return;
    }
    if (!this.tools.childElementCount) {
      const options = kinds.map((one): [string, string] => [one.kind, spoken(one.kind)]);
      this.tools.append(select(say("Chart"), options, kind, (chart) => this.session.show({ chart })));
    }
    for (const list of this.tools.querySelectorAll("select")) list.value = kind;
    const answer = await session.ask("chart", { source: session.source, kind, theme: session.theme }, signal);
    const picture = await chartPicture(answer, spoken(kind));
    signal.throwIfAborted();
    this.frame.replaceChildren(...(picture ? [picture] : []));
  }
}
