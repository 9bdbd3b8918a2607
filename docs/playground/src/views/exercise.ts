/** A worksheet of the network: blanks to fill in, hints and a score. */

import type { Column, Worksheet } from "../api";
import { announce, apart, button, h, select, spoken } from "../dom";
import type { Session, View } from "../session";
import { say } from "../words";

export class ExerciseView implements View {
  readonly title = say("Exercise");
  readonly element = h("div", { class: "exercise" });
  private readonly tools = h("div", { class: "tools" });
  private readonly frame = h("div", { class: "frame", tabindex: "0", role: "region", "aria-label": say("Worksheet") });
  private readonly score = h("p", { class: "summary", role: "status" });
  private level = "";
  private seed = 1;
  private drawn = "";
  /** The blanks and the network: a comment or other spaces in the spec change neither. */
  private about = "";

  constructor(
    private readonly session: Session,
    private readonly failed: (error: unknown) => void,
  ) {
    this.element.append(this.tools, this.frame);
  }

  async show(session: Session, signal: AbortSignal): Promise<void> {
    const levels = session.catalogue.levels ?? [];
    if (!this.tools.childElementCount) {
      if (levels.length) {
        const options = levels.map((name): [string, string] => [name, spoken(name)]);
        this.tools.append(
          select(say("Level"), options, options[0]?.[0] ?? "", (level) => {
            this.level = level;
            session.show({});
          }),
        );
      }
      this.tools.append(
        button(say("Other blanks"), () => {
          this.seed += 1;
          session.show({});
        }),
      );
    }
    const level = this.level ? { level: this.level } : {};
    const request = { source: session.source, ...level, seed: this.seed };
    // What was filled in stays where nothing changed.
    const key = JSON.stringify(request);
    if (key === this.drawn) return;
    const sheet = await session.ask("exercise", request, signal);
    this.drawn = key;
    const { input, rows = [], totals } = session.analysis ?? {};
    const layers = rows.map(({ name, op, summary }) => [name, op, summary]);
    const about = JSON.stringify([{ ...sheet, title: "" }, input, layers, totals]);
    if (about === this.about) return;
    this.about = about;
    this.draw(sheet);
  }

  private draw(sheet: Worksheet): void {
    const columns = sheet.columns.filter(({ key }) => !["name", "layer"].includes(key));
    const body = h("tbody");
    for (const [place, row] of sheet.rows.entries()) {
      const line = h("tr", {}, h("th", { scope: "row" }, row.name));
      for (const { key, heading, align } of columns) {
        const text = row.cells[key];
        const cell = h("td", { class: align ?? "left" });
        if (text === null) {
          const label = say("{heading} of {layer}", { heading, layer: row.name });
          cell.append(
            h("input", {
              "data-row": place,
              "data-key": key,
              "aria-label": label,
              autocomplete: "off",
              dir: "auto",
              spellcheck: "false",
            }),
          );
        } else cell.append(apart(text ?? ""));
        line.append(cell);
      }
      body.append(line);
    }
    const layer: Column = { key: "name", heading: say("layer") };
    const head = [layer, ...columns].map(({ heading, align }) =>
      h("th", { scope: "col", class: align ?? "left" }, heading),
    );
    const form = h(
      "form",
      {},
      h(
        "table",
        { class: "rows" },
        h("caption", { class: "unseen" }, sheet.title ?? say("Worksheet")),
        h("thead", {}, h("tr", {}, ...head)),
        body,
      ),
      h(
        "div",
        { class: "tools" },
        h("button", { type: "submit", class: "primary" }, say("Check my answers")),
        this.score,
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.grade(sheet, form).catch(this.failed);
    });
    this.score.textContent = "";
    this.frame.replaceChildren(form);
  }

  private async grade(sheet: Worksheet, form: HTMLFormElement): Promise<void> {
    const inputs = [...form.querySelectorAll<HTMLInputElement>("input[data-key]")];
    const cells = inputs.map((input) => ({
      row: Number(input.dataset.row),
      key: input.dataset.key ?? "",
      text: input.value,
    }));
    const answer = await this.session.ask("mark", { source: this.session.source, token: sheet.token, cells });
    for (const input of inputs) {
      const found = answer.verdicts.find(
        ({ row, key }) => row === Number(input.dataset.row) && key === input.dataset.key,
      );
      const cell = input.parentElement;
      if (!cell) continue;
      cell.querySelector(".hintline")?.remove();
      const verdict = found?.verdict ?? "empty";
      cell.dataset.verdict = verdict;
      input.setAttribute("aria-invalid", String(verdict === "wrong" || verdict === "unreadable"));
      const words =
        verdict === "right" ? `✓ ${say("right")}` : verdict === "empty" ? "" : `✗ ${found?.hint || spoken(verdict)}`;
      const { answer: solution } = found ?? {};
      const hint = h("span", { class: "hintline" }, words);
      if (solution) {
        const show = button(say("Show the answer"), () => show.replaceWith(apart(solution)), { class: "answer" });
        hint.append(" ", show);
      }
      if (words) cell.append(hint);
    }
    const { right, of: all } = answer.score;
    this.score.textContent = say("{right} of {all} are right.", { right, all });
    announce(this.score.textContent);
  }
}
