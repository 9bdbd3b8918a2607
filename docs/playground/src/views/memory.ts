/** What is alive when the network runs or is trained. */

import { apart, h, select, spoken } from "../dom";
import type { Session, View } from "../session";
import { chartPicture } from "../vega";
import { say } from "../words";
import { plainTable } from "./plain";

export class MemoryView implements View {
  readonly title = say("Memory");
  readonly element = h("div", { class: "memory" });
  private readonly tools = h("div", { class: "tools" });
  private readonly frame = h("div", { class: "frame", tabindex: "0", role: "region", "aria-label": say("Memory") });
  private policy = "";

  constructor(private readonly session: Session) {
    this.element.append(this.tools, this.frame);
  }

  async show(session: Session, signal: AbortSignal): Promise<void> {
    const policy = this.policy ? { policy: this.policy } : {};
    const answer = await session.ask("memory", { source: session.source, ...policy, theme: session.theme }, signal);
    if (!this.tools.childElementCount && answer.policies?.length) {
      const options = answer.policies.map((name): [string, string] => [name, spoken(name)]);
      const change = (name: string) => {
        this.policy = name;
        this.session.show({});
      };
      this.tools.append(select(say("The network is"), options, this.policy || (options[0]?.[0] ?? ""), change));
    }
    const facts = h("dl", { class: "facts" });
    for (const { label, value, note } of answer.facts ?? []) {
      facts.append(
        h("div", {}, h("dt", {}, label), h("dd", {}, apart(value), note ? h("small", {}, ` ${note}`) : null)),
      );
    }
    this.frame.replaceChildren(facts);
    const picture = await chartPicture(answer, say("Memory along the run of the network"));
    signal.throwIfAborted();
    if (picture) this.frame.append(picture);
    if (answer.rows?.length && answer.columns)
      this.frame.append(plainTable(say("Memory"), answer.columns, answer.rows));
  }
}
