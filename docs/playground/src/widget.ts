/** The playground as a Jupyter widget (anywidget): a frame with the page, and messages to the functions in the kernel.
 *
 * The page has a document of its own, so that its styles and those of the notebook do not meet; the frame is a sandbox
 * of another origin, and its policy lets it load nothing. `PAGE` and `STYLE` are the built page, which Python puts in front.
 */

import type { FromNotebook, FromPage } from "./frame";

declare const PAGE: string;
declare const STYLE: string;

/** What is in the state of the page and in traits of the widget. */
const TRAITS = ["text", "input", "parameters", "view", "layer", "lang"] as const;

/** The part of the model of anywidget that is used here. */
interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(message: unknown): void;
  on(event: string, listener: (message: never) => void): void;
  off(event: string, listener: (message: never) => void): void;
}

function page(nonce: string): string {
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'`;
  // What would end a script or a style early is written so that it does not.
  const script = PAGE.replaceAll(/<\/(script)/gi, "<\\/$1").replaceAll("<!--", "<\\!--");
  return `<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="viewport" content="width=device-width">
<meta name="archcalc-backend" content="frame"><title>archcalc</title>
<style>${STYLE}</style></head><body><script type="module" nonce="${nonce}">${script}</script></body></html>`;
}

const stateOf = (model: Model) => Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
/** A word that nobody guesses; `crypto.randomUUID` is not there where a notebook comes over plain HTTP. */
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(36)).join("");
const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  // A widget may be shown several times: each has its own requests.
  const own = `${random()}:`;
  const { port1: port, port2 } = new MessageChannel();
  const frame = document.createElement("iframe");
  frame.title = "archcalc playground";
  frame.setAttribute("sandbox", "allow-scripts allow-forms allow-downloads");
  const dark = document.body.dataset.jpThemeLight;
  const scheme = dark ? (dark === "false" ? "dark" : "light") : "";
  frame.style.cssText = `border: 1px solid #8886; border-radius: 6px; width: 100%; color-scheme: ${scheme || "inherit"}`;
  const size = () => {
    frame.style.height = `${Number(model.get("height")) || 640}px`;
  };
  size();
  frame.srcdoc = page(random());
  // Its origin is its own, so that no other address can be given.
  frame.addEventListener("load", () => frame.contentWindow?.postMessage({ state: stateOf(model) }, "*", [port2]), {
    once: true,
  });
  port.addEventListener("message", ({ data }: MessageEvent<FromPage>) => {
    if (!("state" in data)) {
      model.send({ ...data, id: own + data.id });
      return;
    }
    for (const name of TRAITS) if (!same(model.get(name), data.state[name])) model.set(name, data.state[name]);
    shown = stateOf(model);
    model.save_changes();
  });
  port.start();
  let shown = stateOf(model);
  const tell = (message: FromNotebook) => port.postMessage(message);
  const answered = ({ id, answer }: { id: string; answer: unknown }) => {
    if (id.startsWith(own)) tell({ id: id.slice(own.length), answer });
  };
  // A trait was set in Python, or by another view of this widget.
  const changed = () => {
    const now = stateOf(model);
    if (same(now, shown)) return;
    shown = now;
    tell({ state: now });
  };
  const events: [string, (message: never) => void][] = [
    ["msg:custom", answered],
    ["change:height", size],
    ...TRAITS.map((name): [string, () => void] => [`change:${name}`, changed]),
  ];
  for (const [event, listener] of events) model.on(event, listener);
  el.append(frame);
  return () => {
    for (const [event, listener] of events) model.off(event, listener);
    port.close();
    frame.remove();
  };
}

export default { render };
