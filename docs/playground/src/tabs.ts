/** Panes of which one is shown, as the tabs pattern of ARIA has it. */

import { h } from "./dom";
import { VIEWS, type ViewId } from "./link";
import type { View } from "./session";
import { say } from "./words";

export class Tabs {
  readonly list = h("div", { class: "tabs", role: "tablist", "aria-label": say("Views") });
  readonly panels = h("div", { class: "panels" });

  constructor(
    views: Record<ViewId, View>,
    private readonly open: (view: ViewId) => void,
  ) {
    for (const id of VIEWS) {
      const tab = h(
        "button",
        { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `panel-${id}`, click: () => open(id) },
        views[id].title,
      );
      this.list.append(tab);
      const panel = h("div", { class: "panel", role: "tabpanel", id: `panel-${id}`, "aria-labelledby": `tab-${id}` });
      panel.append(views[id].element);
      this.panels.append(panel);
    }
    this.list.addEventListener("keydown", (event) => {
      const at = VIEWS.indexOf(this.shown);
      const forward = document.documentElement.dir === "rtl" ? -1 : 1;
      const step = { ArrowRight: forward, ArrowLeft: -forward, Home: -at, End: VIEWS.length - 1 - at }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const next = VIEWS[(at + step + VIEWS.length) % VIEWS.length] as ViewId;
      this.open(next);
      document.getElementById(`tab-${next}`)?.focus();
    });
  }

  private shown: ViewId = "diagram";

  select(view: ViewId): void {
    this.shown = view;
    for (const id of VIEWS) {
      const tab = this.list.querySelector<HTMLElement>(`#tab-${id}`);
      tab?.setAttribute("aria-selected", String(id === view));
      tab?.setAttribute("tabindex", id === view ? "0" : "-1");
      const panel = this.panels.querySelector<HTMLElement>(`#panel-${id}`);
      if (panel) panel.hidden = id !== view;
    }
    this.reveal();
  }

  /** Scroll to the tab that is chosen. */
  reveal(): void {
    const tab = this.list.querySelector<HTMLElement>(`#tab-${this.shown}`);
    if (!tab) return;
    // By what is seen, which holds for both directions; a part of the next tab is shown too.
    const [seen, list] = [tab.getBoundingClientRect(), this.list.getBoundingClientRect()];
    this.list.scrollBy({ left: Math.min(0, seen.left - list.left - 40) || Math.max(0, seen.right - list.right + 40) });
  }
}
