/** Starts the page: which back end there is, its catalogue, then the network that the link names. */

import "./style/page.css";
import { h } from "./dom";
import { connected, PortTransport } from "./frame";
import { type Keeper, theLink } from "./link";
import { Page } from "./page";
import { Session } from "./session";
import { HttpTransport, StaticTransport, type Transport, WorkerTransport } from "./transport";
import { direction, say, use } from "./words";

async function language(keeper: Keeper): Promise<string> {
  try {
    return (await keeper.read()).lang ?? "";
  } catch {
    // A damaged link: the page says so when it is followed.
    return "";
  }
}

/** What the worker does while it starts. */
const stage = (name: string) =>
  ({
    list: say("Reading the list of parts"),
    python: say("Loading Python"),
    packages: say("Unpacking packages"),
    archcalc: say("Starting archcalc"),
  })[name] ?? say("Starting");

function backEnd(kind: string | undefined): Transport {
  if (kind !== "worker") return new HttpTransport();
  const bar = h("progress", { max: 1, value: 0, "aria-label": say("Starting the engine") });
  const what = h("span", {}, stage(""));
  const box = h("div", { class: "starting", role: "status" });
  box.append(what, bar);
  document.body.prepend(box);
  const engine = new WorkerTransport(
    (share, text) => {
      bar.value = share;
      what.textContent = stage(text);
      if (box.isConnected && bar.isConnected) return;
      box.replaceChildren(what, bar);
      document.body.prepend(box);
    },
    (error) => {
      if (!error) box.remove();
      else box.replaceChildren(error.message);
    },
  );
  return new StaticTransport(engine);
}

async function start(): Promise<void> {
  const kind = document.querySelector<HTMLMetaElement>('meta[name="archcalc-backend"]')?.content;
  const notebook = kind === "frame" ? await connected() : null;
  const port = notebook && new PortTransport(notebook.port, notebook.state);
  const keeper = port ?? theLink;
  const lang = await language(keeper);
  if (lang) document.documentElement.lang = lang;
  document.documentElement.dir = direction(lang);
  use(lang);
  const session = new Session(port ?? backEnd(kind));
  session.state.lang = lang;
  const page = new Page(session, keeper);
  // Nothing waits for the catalogue: the first network is open before it.
  await Promise.all([page.start(), session.loadCatalogue()]);
}

start().catch((error: unknown) => {
  document.body.prepend(
    h("p", { class: "banner", role: "alert" }, error instanceof Error ? error.message : String(error)),
  );
});
