/** The dialog with the link of the network as it is now, and the line that puts it into another page. */

import { announce, button, download, h } from "./dom";
import { encode, type State } from "./link";
import { say } from "./words";

export function shareDialog(state: () => State): HTMLDialogElement {
  const dialog = h("dialog", { class: "share", "aria-labelledby": "share-title" });
  const link = h("input", { id: "share-link", readonly: true, dir: "ltr" });
  const frame = h("textarea", {
    id: "share-frame",
    "aria-describedby": "share-note",
    readonly: true,
    rows: "3",
    dir: "ltr",
  });
  const copy = (field: HTMLInputElement | HTMLTextAreaElement) => async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      announce(say("Copied."));
    } catch {
      // No permission, or no safe context: the text is selected, and Ctrl-C does it.
      announce(say("Press Ctrl-C to copy."));
    }
  };
  const trouble = h("p", { id: "share-trouble", role: "alert" });
  const save = () => {
    const { name, text } = state();
    download(`${name || "network"}.yaml`, "application/yaml", new TextEncoder().encode(text));
  };
  const refused = h(
    "div",
    { hidden: true },
    trouble,
    h("div", { class: "tools" }, button(say("Save the spec as a file"), save, { class: "primary" })),
  );
  const links = h(
    "div",
    {},
    h("p", {}, say("The link holds the spec itself. Nothing is stored on a server.")),
    h("label", { for: "share-link" }, say("Link")),
    h("div", { class: "tools" }, link, button(say("Copy"), copy(link), { class: "primary" })),
    h("label", { for: "share-frame" }, say("In a page of your own")),
    h("div", { class: "tools" }, frame, button(say("Copy"), copy(frame))),
    h("p", { id: "share-note" }, say("A page that is opened as a file cannot show a frame of archcalc serve.")),
  );
  dialog.append(
    h(
      "header",
      {},
      h("h2", { id: "share-title" }, say("Share")),
      button("×", () => dialog.close(), { "aria-label": say("Close") }),
    ),
    links,
    refused,
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  const open = dialog.showModal.bind(dialog);
  dialog.showModal = async () => {
    const base = location.href.replace(/#.*$/, "");
    let problem = "";
    try {
      const [whole, embedded] = await Promise.all([encode(state()), encode({ ...state(), embed: true })]);
      link.value = `${base}#${whole}`;
      frame.value = `<iframe src="${base}#${embedded.replaceAll("&", "&amp;")}" width="800" height="600" title="archcalc"></iframe>`;
    } catch (error) {
      problem = (error as Error).message;
    }
    links.hidden = Boolean(problem);
    refused.hidden = !problem;
    open();
    trouble.textContent = problem;
    if (!problem) link.select();
  };
  return dialog;
}
