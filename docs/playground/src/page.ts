/** The page: its parts, and what happens between a key and a picture. */

import type { Edit, Problem } from "./api";
import { type Choice, catalogueDialog } from "./catalogue";
import { announce, apart, button, h, select, spoken } from "./dom";
import { Editor } from "./editor";
import { exportMenu, listenForDrops, take } from "./files";
import { Latest } from "./latest";
import { EMPTY, encode, type Keeper, type State, type ViewId } from "./link";
import { Parameters } from "./parameters";
import { PatternLine } from "./pattern";
import { Problems } from "./problems";
import { isChanged, Refused, type Session, type View } from "./session";
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
import { LANGUAGES, say } from "./words";

/** Milliseconds without a key before the network is calculated again. */
const PAUSE = 120;
/** Milliseconds for which the problems of the text before stay, so that they do not flicker while one types. */
const STAY = 300;
/** In place of the text whose warnings are shown: errors are shown. */
const WRONG = "wrong";
/** What is open at first. */
const FIRST = "alexnet";

export class Page {
  private readonly main = h("main", { id: "main", tabindex: "-1", "data-state": "busy" });
  private readonly title = h("h2", { class: "title", role: "heading", "aria-level": "2" }, "archcalc");
  private readonly totals = h("dl", { class: "totals" });
  /** From a frame the way to the page with its editor. */
  private readonly whole = h("a", { class: "whole", target: "_blank", rel: "noopener" }, say("Open the whole page"));
  private readonly banner = h("div", { class: "banner", role: "alert", hidden: true });
  /** Which file is being read. */
  private readonly reading = h("p", { class: "reading", role: "status" });
  private readonly editor: Editor;
  private readonly problems: Problems;
  private readonly pattern: PatternLine;
  private readonly tabs: Tabs;
  private readonly views: Record<ViewId, View>;
  private readonly check: CheckView;
  private readonly parameters: HTMLFieldSetElement;
  /** The network that each pane shows. */
  private readonly shown: Partial<Record<ViewId, string>> = {};
  private readonly latest = new Latest(
    (signal) => this.refresh(signal),
    (error) => this.failed(error),
  );
  /** The request whose analysis is shown, and the text whose warnings are. */
  private analysed = "";
  private warned = "";
  /** The text of the analysis that is shown, whose parameters have sliders. */
  private slid = "";
  /** How many links were followed: of several the last one counts, whichever is read first. */
  private links = 0;
  /** How many networks and files were opened: of several files the last one counts, whichever is read first. */
  private opened = 0;
  private linked: ReturnType<typeof setTimeout> | undefined;
  /** Whether the banner is about a failed calculation, which the next one may mend. */
  private broken = false;

  constructor(
    private readonly session: Session,
    private readonly keeper: Keeper,
  ) {
    const failed = (error: unknown) => this.failed(error);
    const mend = (edit: Edit) => this.editor.mend(edit);
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
    }, mend);
    this.check = new CheckView(session, failed);
    this.views = {
      diagram: new DiagramView(session),
      table: new TableView(session),
      charts: new ChartsView(session),
      memory: new MemoryView(session),
      lint: new LintView(session, mend),
      check: this.check,
      compare: new CompareView(session),
      exercise: new ExerciseView(session, failed),
    };
    this.tabs = new Tabs(this.views, (view) => session.show({ view }));
    this.parameters = h("fieldset", { class: "parameters-of" }, new Parameters(session).element);
    this.pattern = new PatternLine(session, (choice, pattern) => this.open(choice, pattern), failed);
    const catalogue = catalogueDialog(session, (choice) => this.open(choice).catch(failed));
    const share = shareDialog(() => session.state);
    const file = h("input", {
      type: "file",
      hidden: true,
      "aria-label": say("File to import"),
      change: () => {
        this.takeFirst(file);
      },
    });
    const themeWords = h("span", {}, colours.label());
    const themeButton = button(
      "",
      () => {
        colours.next();
        themeWords.textContent = colours.label();
      },
      { class: "quiet-button theme" },
    );
    themeButton.append(h("span", { class: "sign", "aria-hidden": "true" }, "◐"), themeWords);

    this.main.append(
      h(
        "section",
        { class: "spec", "aria-label": say("Spec") },
        this.pattern.element,
        editorBox,
        h(
          "div",
          { class: "under" },
          this.problems.element,
          h(
            "div",
            { class: "tools" },
            button(say("Format"), () => this.format(), { title: "Shift-Alt-F" }),
          ),
          this.parameters,
        ),
      ),
      h(
        "section",
        { class: "side", "aria-label": say("Result") },
        h("div", { class: "head" }, this.title, keeper.canShare && this.whole, this.conventions()),
        h("p", { class: "before" }, say("This is the network before the last change.")),
        this.totals,
        this.tabs.list,
        this.tabs.panels,
        new LayerPanel(session, failed, () => this.chosen(session.state.layer, "panel")).element,
      ),
    );
    document.body.dataset.drop = say("Drop a model file, a spec or a table");
    document.body.append(
      h("a", { class: "skip", href: "#main", click: (event: Event) => this.skip(event) }, say("Skip to the spec")),
      h(
        "header",
        { class: "bar" },
        h("h1", { class: "brand" }, "archcalc", h("small", {}, "playground")),
        h(
          "nav",
          { "aria-label": say("Network") },
          button(say("Open"), () => catalogue.showModal(), { class: "primary open" }),
          button(say("Import"), () => file.click(), {
            title: say("ONNX, Keras, Caffe, Darknet, PyTorch; or drop a file anywhere"),
          }),
          file,
          exportMenu(session, failed),
          keeper.canShare && button(say("Share"), () => share.showModal(), { class: "share-button" }),
        ),
        h("div", { class: "looks" }, keeper.canShare && this.languages(), themeButton),
      ),
      this.banner,
      this.reading,
      this.main,
      h(
        "nav",
        { class: "panes", "aria-label": say("Panes") },
        button(say("Spec"), () => this.pane("spec"), { "data-pane": "spec", "aria-pressed": "true" }),
        button(say("Result"), () => this.pane("side"), { "data-pane": "side", "aria-pressed": "false" }),
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
    keeper.changed(() => this.follow().catch(failed));
  }

  /** The page in another language is loaded again, with all that its link holds. */
  private languages(): HTMLElement {
    const box = select(say("Language"), LANGUAGES, this.session.state.lang, async (lang) => {
      clearTimeout(this.linked);
      const state = { ...this.session.state, lang };
      try {
        await encode(state);
      } catch (error) {
        this.say((error as Error).message);
        for (const list of box.querySelectorAll("select")) list.value = this.session.state.lang;
        return;
      }
      await this.keeper.write(state);
      location.reload();
    });
    box.querySelector("span")?.classList.add("unseen");
    return box;
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
    const link = ++this.links;
    this.opened++;
    this.latest.stop();
    this.main.dataset.state = "busy";
    this.broken = false;
    this.banner.hidden = true;
    let asked: Partial<State> = {};
    let damage = "";
    try {
      asked = await this.keeper.read();
    } catch (error) {
      damage = (error as Error).message;
    }
    if (link !== this.links) return;
    if (damage) {
      this.say(damage, false);
      if (this.session.state.text) {
        // The page stays as it is.
        this.later();
        return;
      }
    }
    const { lang } = this.session.state;
    if (this.keeper.canShare && asked.lang !== lang && LANGUAGES.some(([key]) => key === asked.lang)) {
      location.reload();
      return;
    }
    this.session.state = { ...EMPTY, lang, ...asked };
    this.session.analysis = null;
    // A frame in somebody's page that names a view shows that view alone.
    if (this.keeper.canShare && window !== window.parent && asked.view) this.session.state.embed = true;
    document.body.classList.toggle("embed", this.session.state.embed);
    // The bar with the heading of the page is not there.
    this.title.setAttribute("aria-level", this.session.state.embed ? "1" : "2");
    if (this.session.state.embed || asked.view || asked.layer) this.pane("side");
    const name = asked.name || (asked.text === undefined ? FIRST : "");
    if (name) {
      const answer = await this.session.call("spec", { name });
      if (link !== this.links) return;
      if (answer.ok) Object.assign(this.session.state, { name, text: answer.text });
      else {
        this.session.state.name = "";
        this.say(answer.errors.map(({ message }) => message).join("\n"));
      }
    }
    this.pattern.show("");
    this.editor.setText(this.session.state.text);
    this.later();
  }

  private async open({ name, text }: Choice, pattern = ""): Promise<void> {
    const opened = ++this.opened;
    const found = name ? (await this.session.ask("spec", { name })).text : (text ?? "");
    if (opened !== this.opened) return;
    this.pattern.show(pattern);
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
    // A link that is followed may name another one.
    for (const list of this.main.querySelectorAll<HTMLSelectElement>(".conventions select"))
      list.value = state.convention.replace(/^archcalc$/, "");
    this.link();
    if (!state.text.trim()) {
      this.wrong([{ message: say("The spec is empty. Open a network, or write one."), severity: "warning" }]);
      return;
    }
    const request = this.request();
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
      session.emit("analysed", answer);
    }
    this.drawTotals();
    this.main.classList.remove("stale", "nothing");
    this.parameters.disabled = false;
    this.slid = state.text;
    // An error of the analysis is mended now.
    if (this.warned === WRONG) this.drop();
    const late = JSON.stringify(session.source) === this.warned ? undefined : setTimeout(() => this.drop(), STAY);
    try {
      await this.view(signal);
      await this.warnings(signal);
    } catch (error) {
      if (!signal.aborted) this.drop();
      throw error;
    } finally {
      clearTimeout(late);
    }
    if (this.broken) this.banner.hidden = true;
    this.main.dataset.state = "ready";
  }

  /** What is asked of the analysis that is to be shown. */
  private request() {
    return { source: this.session.source, ...this.session.reading };
  }

  /** Show the pane. Until it has its answer it says that it is of another network; what is refused shows nothing. */
  private async view(signal: AbortSignal): Promise<void> {
    const id = this.session.state.view;
    const view = this.views[id];
    const { element } = view;
    const now = JSON.stringify(this.session.source);
    const before = this.shown[id];
    const clear = () => {
      element.classList.remove("behind", "without");
      element.querySelector(":scope > .late")?.remove();
    };
    element.querySelector(":scope > .refused")?.remove();
    if (before !== undefined && before !== now && !element.matches(".behind, .without")) {
      element.classList.add("behind");
      element.prepend(h("p", { class: "late", role: "status" }, say("This is the network before the last change.")));
    }
    try {
      await view.show(this.session, signal);
      clear();
      view.mark?.(this.session.state.layer ? [this.session.state.layer] : [], false);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      clear();
      element.classList.add("without");
      element.prepend(h("div", { class: "refused", role: "alert" }, h("p", {}, error.message), view.instead?.()));
    }
    this.shown[id] = now;
  }

  private async warnings(signal: AbortSignal): Promise<void> {
    const key = JSON.stringify(this.session.source);
    if (key === this.warned) return;
    const answer = await this.session.call("validate", { source: this.session.source }, signal);
    signal.throwIfAborted();
    this.warned = key;
    if (answer.ok) this.tell(answer.warnings);
    else if (!answer.slow) this.tell(answer.errors);
    else this.tell([{ message: say("The sizing rules took too long for this network."), severity: "warning" }]);
  }

  /** The spec has errors. */
  private wrong(problems: readonly Problem[]): void {
    this.analysed = "";
    this.warned = WRONG;
    this.tell(problems);
    // With a slider that made the error it can be mended.
    this.parameters.disabled = this.session.state.text !== this.slid;
    this.outdate();
    this.main.dataset.state = "wrong";
  }

  /** What was shown of the network before stays, in grey; nothing is shown of another network. */
  private outdate(): void {
    const stays = Boolean(this.session.analysis) && isChanged(this.slid, this.session.state.text);
    this.main.classList.toggle("stale", stays);
    this.main.classList.toggle("nothing", !stays);
    if (!stays) document.title = "archcalc";
  }

  /** The problems that are shown are those of another text. */
  private drop(): void {
    this.warned = "";
    this.tell([]);
  }

  private tell(problems: readonly Problem[]): void {
    this.editor.setProblems(problems);
    this.problems.show(problems);
    announce(
      problems
        .map(({ message, line }) => (line ? say("Line {line}: {message}", { line, message }) : message))
        .join("\n"),
    );
  }

  private drawTotals(): void {
    const { analysis, state, catalogue } = this.session;
    if (!analysis) return;
    const title = analysis.title || catalogue.networks.find(({ name }) => name === state.name)?.title;
    this.title.textContent =
      title || /^(?:title|name):\s*["']?([^"'\n]{1,80})/m.exec(state.text)?.[1] || say("Network");
    document.title = `${this.title.textContent} · archcalc`;
    this.totals.replaceChildren(
      ...analysis.totals.map(({ label, value, exact }) =>
        h("div", {}, h("dt", {}, label), h("dd", { title: exact == null ? null : String(exact) }, apart(value))),
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
          say("Convention"),
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
      const before = this.editor.text;
      const { text } = await this.session.ask("format", { text: before });
      // What was typed or opened meanwhile stays.
      if (this.editor.text !== before) return;
      this.editor.layOut(text);
      this.session.change({ text });
      announce(say("Formatted."));
    } catch (error) {
      this.failed(error);
    }
  }

  private takeFirst(input: HTMLInputElement): void {
    const file = input.files?.[0];
    input.value = "";
    if (file) this.take(file);
  }

  private take(file: File, input = ""): void {
    const opened = ++this.opened;
    const isLast = () => opened === this.opened;
    const words = say("Reading {file} …", { file: file.name });
    this.reading.textContent = words;
    const takers = {
      spec: (text: string, notes: readonly string[]) => {
        if (!isLast()) return;
        this.open({ text }).catch((error: unknown) => this.failed(error));
        announce([say("{file} is open.", { file: file.name }), ...notes].join("\n"));
      },
      table: async () => {
        if (!isLast()) return;
        this.session.show({ view: "check" });
        this.pane("side");
        await this.check.read(file);
      },
    };
    take(this.session, file, takers, input)
      .catch((error: unknown) => {
        if (!isLast()) return;
        this.failed(error);
        if (error instanceof Refused && error.needs) this.askSize(file, input);
      })
      .finally(() => {
        if (this.reading.textContent === words) this.reading.textContent = "";
      });
  }

  /** On a phone one pane is shown at a time. */
  private pane(name: "spec" | "side"): void {
    document.body.dataset.pane = name;
    for (const one of document.querySelectorAll<HTMLElement>(".panes button")) {
      one.setAttribute("aria-pressed", String(one.dataset.pane === name));
    }
    // Only what is shown can be scrolled to.
    if (name !== "side") return;
    this.tabs.reveal();
    const { layer, view } = this.session.state;
    if (layer) this.views[view].mark?.([layer], true);
  }

  private skip(event: Event): void {
    event.preventDefault();
    this.pane("spec");
    this.editor.view.focus();
  }

  private link(): void {
    clearTimeout(this.linked);
    this.linked = setTimeout(() => this.keeper.write(this.session.state), 200);
    if (this.session.state.embed) {
      encode({ ...this.session.state, embed: false }).then(
        (link) => this.whole.setAttribute("href", `#${link}`),
        () => {},
      );
    }
  }

  private failed(error: unknown): void {
    if (error instanceof DOMException && error.name === "AbortError") return;
    this.main.dataset.state = "failed";
    if (JSON.stringify(this.request()) !== this.analysed) this.outdate();
    this.broken = true;
    // The same request is refused again.
    this.say(error instanceof Error ? error.message : String(error), !(error instanceof Refused));
  }

  /** The size of its input, which a file does not say. */
  private askSize(file: File, input: string): void {
    const size = h("input", { id: "file-size", value: input, placeholder: "224x224x3", required: true, dir: "ltr" });
    const read = (event: Event) => {
      event.preventDefault();
      this.banner.hidden = true;
      this.take(file, size.value.trim());
    };
    const form = h(
      "form",
      { class: "tools", submit: read },
      h("label", { for: "file-size" }, say("Size of the input")),
      size,
      h("button", { type: "submit" }, say("Import")),
    );
    this.banner.querySelector("span")?.after(form);
    size.select();
  }

  private say(text: string, again = true): void {
    this.banner.replaceChildren(
      ...[
        h("span", {}, text),
        again &&
          button(say("Try again"), () => {
            this.banner.hidden = true;
            this.later();
          }),
        button(
          "×",
          () => {
            this.banner.hidden = true;
          },
          { "aria-label": say("Close") },
        ),
      ].filter((part) => part !== false),
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
