/** Elements of the page in one expression. */

import { ordered, say, turned } from "./words";

type Child = Node | string | null | undefined | false;
type Listener = (event: never) => unknown;
type Attributes = Record<string, string | number | boolean | null | undefined | Listener>;

/** An element; an attribute that is a function listens to the event of that name, `true` is an attribute without value. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    element.append(typeof child === "string" ? ordered(child) : child);
  }
  return element;
}

/** Other contents. Where the keyboard was in the old ones, as on a button that is done, it is at the first of the new. */
export function refill(element: HTMLElement, ...children: (Node | string)[]): void {
  const held = element.contains(document.activeElement);
  element.replaceChildren(...children);
  if (held) (element.querySelector<HTMLElement>("button, summary") ?? element).focus();
}

/** A text of its own direction, whatever stands around it. */
export const apart = (text: string) => h("bdi", { dir: turned(text) ? "rtl" : null }, text);

export const button = (label: string, click: (event: MouseEvent) => unknown, attributes: Attributes = {}) =>
  h("button", { type: "button", click, ...attributes }, label);

/** A list to choose from; `change` gets the value. It is blank where the value is none of the options. */
export function select(
  label: string,
  options: readonly (readonly [string, string])[],
  value: string,
  change: (value: string) => unknown,
): HTMLLabelElement {
  const list = h(
    "select",
    {
      change: () => {
        change(list.value);
      },
    },
    ...options.map(([key, title]) => h("option", { value: key }, title)),
  );
  list.value = value;
  return h("label", { class: "field" }, h("span", {}, label), list);
}

/** What a name of a choice says: `activation-memory` is read "activation memory", or its words in the language of the page. */
export const spoken = (name: string) => say(name.replaceAll(/[-_]/g, " "));

let announcer: HTMLElement | null = null;

/** A sentence for screen readers, and for those who look: it stands at the foot of the page for a while. */
export function announce(text: string): void {
  announcer ??= document.getElementById("announcer");
  if (announcer) announcer.textContent = text;
}

export function download(filename: string, mime: string, bytes: Uint8Array<ArrayBuffer>): void {
  const address = URL.createObjectURL(new Blob([bytes], { type: mime }));
  const link = h("a", { href: address, download: filename });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
