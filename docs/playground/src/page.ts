/** The page: its parts, and what happens between a key and a picture. */

import type { Edit, Problem } from "./api";
import { type Choice, catalogueDialog } from "./catalogue";
import { announce, button, h, select, spoken } from "./dom";
import { Editor } from "./editor";
import { exportMenu, listenForDrops, take } from "./files";
import { Latest } from "./latest";
import { decode, EMPTY, encode, type State, type ViewId } from "./link";
import { Parameters } from "./parameters";
import { PatternLine } from "./pattern";
import { Problems } from "./problems";
import { Refused, type Session, type View } from "./session";
import { shareDialog } from "./share";
import { Tabs } from "./tabs";
import { theme } from "./theme";
import { ChartsView } from "./views/charts";
import { CheckView } from "./views/check";
import { CompareView } from "./views/compare";
import { DiagramView } from "./views/diagram";
import { ExerciseView } from "./views/exercise";
import { LayerPanel } from "./views/layer";
import { LintView } from "./views/lint";
import { MemoryView } from "./views/memory";
import { TableView } from "./views/table";

/** Milliseconds without a key before the network is calculated again. */
const PAUSE = 120;
/** What is open at first. */
const FIRST = "alexnet";

export class Page {
  private readonly main = h("main", { id: "main", tabindex: "-1", "data-state": "busy" });
  private readonly title = h("h2", { class: "title" }, "archcalc");
  private readonly totals = h("dl", { class: "totals" });
  private readonly banner = h("div", { class: "banner", role: "alert", hidden: true });
  private readonly editor: Editor;
  private readonly problems: Problems;
  private readonly tabs: Tabs;
  private readonly views: Record<ViewId, View>;
  private readonly check: CheckView;
  private readonly latest = new Latest(
    (signal) => this.refresh(signal),
    (error) => this.failed(error),
  );
  /** The request whose analysis is shown, and the text whose warnings are. */
  private analysed = "";
  private warned = "";
  private linked: ReturnType<typeof setTimeout> | undefined;
  /** Whether the banner is about a failed calculation, which the next one may mend. */
  private broken = false;

  constructor(private readonly session: Session) {
    const failed = (error: unknown) => this.failed(error);
    const apply = (edit: Edit) => this.editor.apply(edit);
    const colours = theme(() => session.emit("shown"));
    const editorBox = h("div", { class: "editor" });
    this.editor = new Editor(editorBox, session.transport, {
      changed: (text) => session.change({ text, name: "", parameters: {}, input: "" }),
      moved: (line) => this.views[session.state.view].mark?.(session.layersAt(line), true),
      format: () => this.format(),
    });
    this.problems = new Problems((line, column) => {
      this.pane("spec");
      this.editor.goTo(line, column);
    }, apply);
    this.check = new CheckView(session, failed);
    this.views = {
      diagram: new DiagramView(session),
      table: new TableView(session),
      charts: new ChartsView(session),
      memory: new MemoryView(session),
      lint: new LintView(session, apply),
      check: this.check,
      compare: new CompareView(session),
      exercise: new ExerciseView(session, failed),
    };
    this.tabs = new Tabs(this.views, (view) => session.show({ view }));
    const pattern = new PatternLine(session, (choice) => this.open(choice), failed);
    const catalogue = catalogueDialog(session, (choice) => this.open(choice).catch(failed));
    const share = shareDialog(() => session.state);
    const file = h("input", {
      type: "file",
      hidden: true,
      "aria-label": "File to import",
      change: () => {
        this.takeFirst(file);
      },
    });
    const themeButton = button(
      colours.label(),
      () => {
        colours.next();
        themeButton.textContent = colours.label();
      },
      { class: "quiet-button theme" },
    );

    this.main.append(
      h(
        "section",
        { class: "spec", "aria-label": "Spec" },
        pattern.element,
        editorBox,
        h(
          "div",
          { class: "under" },
          this.problems.element,
          h(
            "div",
            { class: "tools" },
            button("Format", () => this.format(), { title: "Shift-Alt-F" }),
          ),
          new Parameters(session).element,
        ),
      ),
      h(
        "section",
        { class: "side", "aria-label": "Result" },
        h("div", { class: "head" }, this.title, this.conventions()),
        this.totals,
        this.tabs.list,
        this.tabs.panels,
        new LayerPanel(session, failed, () => this.chosen(session.state.layer, "panel")).element,
      ),
    );
    document.body.append(
      h("a", { class: "skip", href: "#main", click: (event: Event) => this.skip(event) }, "Skip to the spec"),
      h(
        "header",
        { class: "bar" },
        h("h1", { class: "brand" }, "archcalc", h("small", {}, "playground")),
        h(
          "nav",
          { "aria-label": "Network" },
          button("Open", () => catalogue.showModal(), { class: "primary open" }),
          button("Import", () => file.click(), {
            title: "ONNX, Keras, Caffe, Darknet, PyTorch; or drop a file anywhere",
          }),
          file,
          exportMenu(session, failed),
          button("Share", () => share.showModal(), { class: "share-button" }),
        ),
        themeButton,
      ),
      this.banner,
      this.main,
      h(
        "nav",
        { class: "panes", "aria-label": "Panes" },
        button("Spec", () => this.pane("spec"), { "data-pane": "spec", "aria-pressed": "true" }),
        button("Result", () => this.pane("side"), { "data-pane": "side", "aria-pressed": "false" }),
      ),
      h("div", { id: "announcer", role: "status", class: "unseen" }),
      catalogue,
      share,
    );
    this.pane("spec");
    closePopups();
    listenForDrops((dropped) => this.take(dropped));
    const names = h("datalist", { id: "names" });
    document.body.append(names);
    session.on("catalogue", () => {
      names.replaceChildren(...session.catalogue.networks.map(({ name }) => h("option", { value: name })));
      if (this.session.state.text) this.later();
    });
    session.on("network", () => this.later(PAUSE));
    session.on("shown", () => this.later());
    session.on("layer", (layer, from) => this.chosen(layer, from));
    addEventListener("hashchange", () => this.follow().catch(failed));
  }

  /** Open what the link says, else the first network. */
  async start(): Promise<void> {
    await this.follow();
  }

  /** Calculate and draw again after a pause; from now on what is shown is not what is asked for. */
  private later(pause = 0): void {
    this.main.dataset.state = "busy";
    this.latest.start(pause);
  }

  private async follow(): Promise<void> {
    this.main.dataset.state = "busy";
    let asked: Partial<State> = {};
    try {
      asked = await decode(location.hash);
    } catch (error) {
      this.broken = false;
      this.say((error as Error).message);
    }
    const { lang } = this.session.state;
    this.session.state = { ...EMPTY, lang, ...asked };
    this.session.analysis = null;
    document.body.classList.toggle("embed", this.session.state.embed);
    if (this.session.state.embed) this.pane("side");
    const name = asked.name || (asked.text === undefined ? FIRST : "");
    if (name) {
      const answer = await this.session.call("spec", { name });
      if (answer.ok) Object.assign(this.session.state, { name, text: answer.text });
      else {
        this.session.state.name = "";
        this.broken = false;
        this.say(answer.errors.map(({ message }) => message).join("\n"));
      }
    }
    this.editor.setText(this.session.state.text);
    this.later();
  }

  private async open({ name, text }: Choice): Promise<void> {
    const found = name ? (await this.session.ask("spec", { name })).text : (text ?? "");
    this.editor.setText(found);
    this.session.choose("", "catalogue");
    this.session.change({
      text: found,
      name: name ?? "",
      parameters: {},
      input: "",
      columns: [],
      depth: "",
      style: "",
    });
  }

  private async refresh(signal: AbortSignal): Promise<void> {
    const { session } = this;
    const { state } = session;
    this.main.dataset.state = "busy";
    this.tabs.select(state.view);
    this.link();
    if (!state.text.trim()) {
      this.wrong([{ message: "The spec is empty. Open a network, or write one.", severity: "warning" }]);
      return;
    }
    const { convention, columns } = state;
    const request = {
      source: session.source,
      ...(convention ? { convention } : {}),

      ...(columns.length ? { columns: columns.join(",") } : {}),
    };
    const key = JSON.stringify(request);
    if (key !== this.analysed || !session.analysis) {
      const answer = await session.call("analyse", request, signal);
      signal.throwIfAborted();
      if (!answer.ok) {
        this.wrong(answer.errors);
        return;
      }
      this.analysed = key;
      session.analysis = answer;
      this.drawTotals();
      session.emit("analysed", answer);
    }
    this.main.classList.remove("stale");
    await this.view(signal);
    await this.warnings(signal);
    if (this.broken) this.banner.hidden = true;
    this.main.dataset.state = "ready";
  }

  private async view(signal: AbortSignal): Promise<void> {
    const view = this.views[this.session.state.view];
    view.element.querySelector(":scope > .refused")?.remove();
    try {
      await view.show(this.session, signal);
      view.mark?.(this.session.state.layer ? [this.session.state.layer] : [], false);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      view.element.prepend(h("p", { class: "refused", role: "alert" }, error.message));
    }
  }

  private async warnings(signal: AbortSignal): Promise<void> {
    const key = JSON.stringify(this.session.source);
    if (key === this.warned) return;
    const answer = await this.session.call("validate", { source: this.session.source }, signal);
    signal.throwIfAborted();
    this.warned = key;
    this.tell(answer.ok ? answer.warnings : answer.errors);
  }

  /** The spec has errors: what was shown stays, paler. */
  private wrong(problems: readonly Problem[]): void {
    this.analysed = this.warned = "";
    this.tell(problems);
    this.main.classList.add("stale");
    this.main.dataset.state = "wrong";
  }

  private tell(problems: readonly Problem[]): void {
    this.editor.setProblems(problems);
    this.problems.show(problems);
    announce(problems.map(({ message, line }) => (line ? `Line ${line}: ${message}` : message)).join("\n"));
  }

  private drawTotals(): void {
    const { analysis, state, catalogue } = this.session;
    if (!analysis) return;
    const title = analysis.title || catalogue.networks.find(({ name }) => name === state.name)?.title;
    this.title.textContent = title || /^(?:title|name):\s*["']?([^"'\n]{1,80})/m.exec(state.text)?.[1] || "Network";
    document.title = `${this.title.textContent} · archcalc`;
    this.totals.replaceChildren(
      ...analysis.totals.map(({ label, value, exact }) =>
        h("div", {}, h("dt", {}, label), h("dd", { title: exact == null ? null : String(exact) }, h("bdi", {}, value))),
      ),
    );
  }

  private conventions(): HTMLElement {
    const box = h("span", { class: "conventions" });
    this.session.on("catalogue", () => {
      const { conventions } = this.session.catalogue;
      if (box.childElementCount || !conventions.length) return;
      const options = conventions.map((name): [string, string] => [name, spoken(name)]);
      box.append(
        select(
          "Convention",
          [["", "archcalc"], ...options.filter(([name]) => name !== "archcalc")],
          this.session.state.convention,
          (convention) => this.session.show({ convention }),
        ),
      );
    });
    return box;
  }

  /** Light up a layer wherever it is shown; who chose it need not scroll to it. */
  private chosen(layer: string, from: string): void {
    this.editor.mark(layer ? this.session.linesOf(layer) : [], true);
    this.views[this.session.state.view].mark?.(layer ? [layer] : [], from === "panel");
    this.link();
  }

  private async format(): Promise<void> {
    try {
      const { text } = await this.session.ask("format", { text: this.editor.text });
      this.editor.setText(text);
      this.session.change({ text });
      announce("Formatted.");
    } catch (error) {
      this.failed(error);
    }
  }

  private takeFirst(input: HTMLInputElement): void {
    const file = input.files?.[0];
    input.value = "";
    if (file) this.take(file);
  }

  private take(file: File): void {
    const takers = {
      spec: (text: string, notes: readonly string[]) => {
        this.open({ text }).catch((error: unknown) => this.failed(error));
        announce([`${file.name} is open.`, ...notes].join("\n"));
      },
      table: async () => {
        this.session.show({ view: "check" });
        this.pane("side");
        await this.check.read(file);
      },
    };
    take(this.session, file, takers).catch((error: unknown) => this.failed(error));
  }

  /** On a phone one pane is shown at a time. */
  private pane(name: "spec" | "side"): void {
    document.body.dataset.pane = name;
    for (const one of document.querySelectorAll<HTMLElement>(".panes button")) {
      one.setAttribute("aria-pressed", String(one.dataset.pane === name));
    }
  }

  private skip(event: Event): void {
    event.preventDefault();
    this.pane("spec");
    this.editor.view.focus();
  }

  private link(): void {
    clearTimeout(this.linked);
    this.linked = setTimeout(async () => {
      const hash = await encode(this.session.state);
      history.replaceState(null, "", `#${hash}`);
    }, 200);
  }

  private failed(error: unknown): void {
    if (error instanceof DOMException && error.name === "AbortError") return;
    this.main.dataset.state = "failed";
    this.broken = true;
    this.say(error instanceof Error ? error.message : String(error));
  }

  private say(text: string): void {
    this.banner.replaceChildren(
      h("span", {}, text),
      button("Try again", () => {
        this.banner.hidden = true;
        this.later();
      }),
      button(
        "×",
        () => {
          this.banner.hidden = true;
        },
        { "aria-label": "Close" },
      ),
    );
    this.banner.hidden = false;
  }
}

/** A menu closes by Escape and by a click elsewhere. */
function closePopups(): void {
  const open = () => [...document.querySelectorAll<HTMLDetailsElement>("details.popup[open]")];
  document.addEventListener("click", ({ target }) => {
    for (const menu of open()) if (!menu.contains(target as Node)) menu.open = false;
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });
}
