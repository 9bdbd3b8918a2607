/** The dialog with the link of the network as it is now, and the line that puts it into another page. */

import { announce, button, h } from "./dom";
import { encode, type State } from "./link";

export function shareDialog(state: () => State): HTMLDialogElement {
  const dialog = h("dialog", { class: "share", "aria-labelledby": "share-title" });
  const link = h("input", { id: "share-link", readonly: true });
  const frame = h("textarea", { id: "share-frame", readonly: true, rows: "3" });
  const copy = (field: HTMLInputElement | HTMLTextAreaElement) => async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      announce("Copied.");
    } catch {
      // No permission, or no safe context: the text is selected, and Ctrl-C does it.
      announce("Press Ctrl-C to copy.");
    }
  };
  dialog.append(
    h(
      "header",
      {},
      h("h2", { id: "share-title" }, "Share"),
      button("×", () => dialog.close(), { "aria-label": "Close" }),
    ),
    h("p", {}, "The link holds the spec itself. Nothing is stored on a server."),
    h("label", { for: "share-link" }, "Link"),
    h("div", { class: "tools" }, link, button("Copy", copy(link), { class: "primary" })),
    h("label", { for: "share-frame" }, "In a page of your own"),
    h("div", { class: "tools" }, frame, button("Copy", copy(frame))),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  const open = dialog.showModal.bind(dialog);
  dialog.showModal = () => {
    const base = location.href.replace(/#.*$/, "");
    Promise.all([encode(state()), encode({ ...state(), embed: true })]).then(([whole, embedded]) => {
      link.value = `${base}#${whole}`;
      frame.value = `<iframe src="${base}#${embedded.replaceAll("&", "&amp;")}" width="800" height="600" title="archcalc"></iframe>`;
      open();
      link.select();
    });
  };
  return dialog;
}
