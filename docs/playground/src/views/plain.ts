/** A table without sort or choice. */

import type { Column, Row } from "../api";
import { apart, h } from "../dom";
import { say } from "../words";

export function plainTable(caption: string, columns: readonly Column[], rows: readonly Row[]): HTMLTableElement {
  const shown = columns.filter(({ key }) => key !== "name");
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, columns.find(({ key }) => key === "name")?.heading ?? say("layer")),
  );
  for (const { heading, align } of shown) head.append(h("th", { scope: "col", class: align ?? "left" }, heading));
  const body = h("tbody");
  for (const row of rows) {
    const line = h("tr", {}, h("th", { scope: "row" }, row.name));
    for (const { key, align } of shown) line.append(h("td", { class: align ?? "left" }, apart(row.cells[key] ?? "")));
    body.append(line);
  }
  return h("table", { class: "rows" }, h("caption", { class: "unseen" }, caption), h("thead", {}, head), body);
}
