/** Starts the page: which back end there is, its catalogue, then the network that the link names. */

import "./style/page.css";
import { h } from "./dom";
import { decode } from "./link";
import { Page } from "./page";
import { Session } from "./session";
import { HttpTransport, StaticTransport, type Transport, WorkerTransport } from "./transport";

const RIGHT_TO_LEFT = new Set(["he", "ar", "fa"]);

async function language(): Promise<string> {
  try {
    return (await decode(location.hash)).lang ?? "";
  } catch {
    // A damaged link: the page says so when it is followed.
    return "";
  }
}

function backEnd(lang: string): Transport {
  const kind = document.querySelector<HTMLMetaElement>('meta[name="archcalc-backend"]')?.content;
  if (kind !== "worker") return new HttpTransport(lang);
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Starting the engine" });
  const what = h("span", {}, "Starting");
  const box = h("div", { class: "starting", role: "status" }, what, bar);
  document.body.prepend(box);
  const engine = new WorkerTransport((share, text) => {
    bar.value = share;
    what.textContent = text;
  }, lang);
  engine.ready.then(
    () => box.remove(),
    (error: Error) => {
      what.textContent = error.message;
      bar.remove();
    },
  );
  return new StaticTransport(engine);
}

async function start(): Promise<void> {
  const lang = await language();
  if (lang) document.documentElement.lang = lang;
  if (RIGHT_TO_LEFT.has(lang)) document.documentElement.dir = "rtl";
  const transport = backEnd(lang);
  const session = new Session(transport);
  session.state.lang = lang;
  const page = new Page(session);
  // Nothing waits for the catalogue: the first network is open before it.
  await Promise.all([page.start(), session.loadCatalogue()]);
}

start().catch((error: unknown) => {
  document.body.prepend(
    h("p", { class: "banner", role: "alert" }, error instanceof Error ? error.message : String(error)),
  );
});
