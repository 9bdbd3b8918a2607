/** What is wrong with the spec, in words below it: for those who do not see the marks, and with each mend as a button. */

import type { Edit, Problem } from "./api";
import { button, h, refill } from "./dom";
import { say } from "./words";

export class Problems {
  readonly element = h("div", {
    class: "problems",
    role: "group",
    tabindex: "-1",
    "aria-label": say("Problems of the spec"),
  });

  constructor(
    private readonly goTo: (line: number, column: number) => void,
    private readonly mend: (edit: Edit) => () => void,
  ) {}

  show(problems: readonly Problem[]): void {
    const errors = problems.filter(({ severity }) => severity === "error");
    const warnings = problems.filter(({ severity }) => severity !== "error");
    const words = warnings.length === 1 ? say("1 warning") : say("{count} warnings", { count: warnings.length });
    refill(
      this.element,
      errors.length ? this.list(errors) : "",
      // A warning is no hurry: the marks in the editor show where they are.
      warnings.length ? h("details", { class: "warnings" }, h("summary", {}, words), this.list(warnings)) : "",
    );
  }

  private list(problems: readonly Problem[]): HTMLElement {
    const list = h("ol", { role: "list" });
    for (const { message, severity, line, column, fix } of problems.slice(0, 50)) {
      list.append(
        h(
          "li",
          { class: severity },
          line ? button(say("Line {line}", { line }), () => this.goTo(line, column ?? 1), { class: "place" }) : null,
          h("span", {}, `${severity === "error" ? say("Error") : say("Warning")}: `, h("bdi", {}, message)),
          fix ? button(fix.title, this.mend(fix), { class: "fix", dir: "auto" }) : null,
        ),
      );
    }
    return list;
  }
}
