/** A worksheet of the network: blanks to fill in, hints and a score. */

import type { Column, Worksheet } from "../api";
import { announce, apart, button, h, select, spoken } from "../dom";
import type { Session, View } from "../session";
import { say } from "../words";
import { MARKS } from "./check";

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
      this.tools.append(
        button(say("Other blanks"), () => {
          this.seed += 1;
          session.show({});
        }),
      );
    }
    // They come with the catalogue, perhaps after the first sheet.
    if (levels.length && !this.tools.querySelector("select")) {
      const options = levels.map((name): [string, string] => [name, spoken(name)]);
      this.tools.prepend(
        select(say("Level"), options, options[0]?.[0] ?? "", (level) => {
          this.level = level;
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
    // Its roles are said, since a narrow page lays it out in another way.
    const body = h("tbody", { role: "rowgroup" });
    for (const [place, row] of sheet.rows.entries()) {
      const line = h(
        "tr",
        { role: "row", "data-layer": row.name },
        h("th", { scope: "row", role: "rowheader" }, row.name),
      );
      for (const { key, heading, align } of columns) {
        const text = row.cells[key];
        const cell = h("td", { class: `${align ?? "left"} ${key}`, role: "cell" });
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
    const head = [layer, ...columns].map(({ key, heading, align }) =>
      h("th", { scope: "col", role: "columnheader", class: `${align ?? "left"} ${key}` }, heading),
    );
    const form = h(
      "form",
      {},
      h(
        "table",
        { class: "rows", role: "table" },
        h("caption", { class: "unseen" }, sheet.title ?? say("Worksheet")),
        h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...head)),
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
    for (const old of form.querySelectorAll(".mark, .hints")) old.remove();
    for (const input of inputs) {
      const { key: quantity } = input.dataset;
      const found = answer.verdicts.find(({ row, key }) => row === Number(input.dataset.row) && key === quantity);
      const cell = input.parentElement;
      const line = cell?.closest("tr");
      if (!cell || !line) continue;
      const verdict = found?.verdict ?? "empty";
      cell.dataset.verdict = verdict;
      input.setAttribute("aria-invalid", String(verdict === "wrong" || verdict === "unreadable"));
      input.removeAttribute("aria-describedby");
      if (verdict === "empty") continue;
      cell.append(h("span", { class: "mark" }, `${MARKS[verdict] ?? "·"} ${spoken(verdict)}`));
      if (!found?.hint && !found?.answer) continue;
      const id = `hint-${input.dataset.row}-${quantity}`;
      input.setAttribute("aria-describedby", id);
      const heading = sheet.columns.find(({ key }) => key === quantity)?.heading ?? null;
      const hint = h("div", { class: "hintline", id }, h("b", {}, heading), " ", apart(found.hint ?? ""), " ");
      const { answer: solution } = found;
      if (solution) {
        const lines = solution.split("\n").map((text) => h("div", {}, apart(text)));
        const show = button(say("Show the answer"), () => show.replaceWith(...lines), { class: "answer" });
        hint.append(show);
      }
      if (line.nextElementSibling?.className !== "hints")
        line.after(
          h("tr", { class: "hints", role: "row" }, h("td", { role: "cell", colspan: sheet.columns.length + 1 })),
        );
      line.nextElementSibling?.firstElementChild?.append(hint);
    }
    const { right, of: all } = answer.score;
    this.score.textContent = say("{right} of {all} are right.", { right, all });
    announce(this.score.textContent);
  }
}
