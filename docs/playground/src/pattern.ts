/** The line above the editor: a pattern or a name becomes the spec. */

import type { Choice } from "./catalogue";
import { h } from "./dom";
import { fromBase64 } from "./link";
import { Refused, type Session } from "./session";
import { say } from "./words";

export class PatternLine {
  readonly element: HTMLFormElement;
  private readonly text = h("input", {
    id: "pattern",
    dir: "ltr",
    autocomplete: "off",
    spellcheck: "false",
    list: "names",
    placeholder: "32x32x3 -> conv3-64 -> relu -> pool2 -> fc10",
    "aria-describedby": "pattern-problem",
  });
  private readonly problem = h("p", { id: "pattern-problem", class: "wrong", role: "status" });

  constructor(
    private readonly session: Session,
    private readonly open: (choice: Choice, pattern: string) => Promise<void>,
    failed: (error: unknown) => void,
  ) {
    this.text.addEventListener("input", () => this.refused(""));
    this.element = h(
      "form",
      {
        class: "pattern",
        submit: (event: Event) => {
          event.preventDefault();
          this.run().catch(failed);
        },
      },
      h("label", { for: "pattern" }, say("Pattern or name")),
      h("div", { class: "tools" }, this.text, h("button", { type: "submit" }, say("Build"))),
      this.problem,
    );
  }

  /** The pattern of the network that is shown; "" where it came from elsewhere. */
  show(text: string): void {
    this.text.value = text;
    this.refused("");
  }

  private refused(text: string): void {
    this.problem.textContent = text;
    this.text.setAttribute("aria-invalid", String(Boolean(text)));
  }

  private async run(): Promise<void> {
    const text = this.text.value.trim();
    if (!text) return;
    try {
      const known = this.session.catalogue.networks.some(({ name }) => name === text);
      if (known) await this.open({ name: text }, text);
      else {
        const { data } = await this.session.ask("export", { source: { text }, to: "yaml" });
        await this.open({ text: new TextDecoder().decode(fromBase64(data)) }, text);
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { column, message } = error.problems[0] ?? { message: error.message };
      if (column) this.text.setSelectionRange(column - 1, column - 1);
      this.refused(message);
    }
  }
}
