/** The dialog with the networks of the catalogue and the examples. */

import type { NetworkEntry } from "./api";
import { button, h, spoken } from "./dom";
import type { Session } from "./session";
import { say } from "./words";

export interface Choice {
  name?: string;
  text?: string;
}

const count = (value: number | string | null | undefined) =>
  typeof value === "number" ? value.toLocaleString("en") : (value ?? "");

/** Networks whose name, title, family or year hold every word of a search. */
export function found(networks: readonly NetworkEntry[], search: string): NetworkEntry[] {
  const wanted = search.toLowerCase().split(/\s+/).filter(Boolean);
  return networks.filter(({ name, title, family, year }) => {
    const text = `${name} ${title} ${family ?? ""} ${year ?? ""}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

export function catalogueDialog(session: Session, choose: (choice: Choice) => void): HTMLDialogElement {
  const list = h("tbody");
  const none = h("p", { class: "empty", role: "status" });
  const search = h("input", {
    id: "search",
    type: "search",
    autocomplete: "off",
    placeholder: say("resnet, 2015, detection…"),
    input: () => fill(),
  });
  const examples = h("div", { class: "examples" });
  const dialog = h("dialog", { class: "catalogue", "aria-labelledby": "catalogue-title" });
  const pick = (choice: Choice) => {
    dialog.close();
    choose(choice);
  };
  function fill(): void {
    const shown = found(session.catalogue.networks, search.value);
    list.replaceChildren(
      ...shown.map(({ name, title, year, params, multiplications }) =>
        h(
          "tr",
          {},
          h(
            "th",
            { scope: "row" },
            button(title, () => pick({ name }), { class: "name", "data-name": name }),
          ),
          h("td", {}, String(year ?? "")),
          h("td", { class: "right" }, count(params)),
          h("td", { class: "right" }, count(multiplications)),
        ),
      ),
    );
    none.textContent = shown.length
      ? ""
      : session.catalogue.networks.length
        ? say("No network fits.")
        : say("The catalogue is read.");
    examples.replaceChildren(
      ...session.catalogue.examples.map(({ title, text }) => button(spoken(title), () => pick({ text }))),
    );
  }
  search.addEventListener("keydown", (event) => {
    const first = list.querySelector("button");
    if (event.key === "Enter" && first) {
      event.preventDefault();
      first.click();
    }
  });
  const head = [
    [say("network"), "left"],
    [say("year"), "left"],
    [say("params"), "right"],
    [say("multiplications"), "right"],
  ].map(([word, side]) => h("th", { scope: "col", class: side }, word));
  dialog.append(
    h(
      "header",
      {},
      h("h2", { id: "catalogue-title" }, say("Open a network")),
      button("×", () => dialog.close(), { "aria-label": say("Close") }),
    ),
    examples,
    h("label", { class: "field", for: "search" }, h("span", {}, say("Search")), search),
    h(
      "div",
      { class: "frame", tabindex: "0", role: "region", "aria-label": say("Networks of the catalogue") },
      h("table", { class: "rows" }, h("thead", {}, h("tr", {}, ...head)), list),
      none,
    ),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  session.on("catalogue", () => {
    if (dialog.open) fill();
  });
  const open = dialog.showModal.bind(dialog);
  dialog.showModal = () => {
    search.value = "";
    fill();
    open();
    // Its numbers take a while the first time: the names are there before.
    session.loadCatalogue(true).catch((error: Error) => {
      none.textContent = error.message;
    });
    search.focus();
  };
  return dialog;
}
