/** The picture: boxes to choose, by mouse and by keys; zoom and scroll. */

import { button, h, select, spoken } from "../dom";
import { sanitiseSvg } from "../sanitise";
import type { Session, View } from "../session";
import { say } from "../words";

const depths = () =>
  [
    ["", say("automatic")],
    ["1", say("1 level")],
    ["2", say("2 levels")],
    ["3", say("3 levels")],
    ["9", say("all layers")],
  ] as const;

/** The least scale at which the words in boxes can be read. */
const LEAST = 0.75;
const BOXES = "[data-layers], [data-layer], [data-block]";

/** Layers that a box stands for: a JSON list of them, one, or the name of their block. */
export function layersOf(box: Element): string[] {
  const list = box.getAttribute("data-layers");
  if (list) {
    try {
      const names: unknown = JSON.parse(list);
      if (Array.isArray(names)) return names.filter((name): name is string => typeof name === "string");
    } catch {
      return list.split(/\s+/).filter(Boolean);
    }
  }
  const name = box.getAttribute("data-layer") ?? box.getAttribute("data-block");
  return name ? [name] : [];
}

const plain = (text: string) => text.replaceAll(/[^\p{L}\p{N}]+/gu, " ").trim();

/** What a box is called: its title, and what is written in it, where the title does not say that. */
export function nameOf(box: Element): string {
  const title = box.querySelector("title")?.textContent || layersOf(box).join(", ");
  const written = [...box.querySelectorAll("text")].map(({ textContent }) => textContent).join(" ");
  return ` ${plain(title)} `.includes(` ${plain(written)} `) || !plain(written) ? title : `${written}; ${title}`;
}

export class DiagramView implements View {
  readonly title = say("Diagram");
  readonly element = h("div", { class: "diagram" });
  private readonly tools = h("div", { class: "tools" });
  private readonly frame = h("div", { class: "frame", tabindex: "0", role: "region", "aria-label": say("Diagram") });
  private svg: SVGSVGElement | null = null;
  private boxes: SVGElement[] = [];
  /** Pixels for a unit of the picture; "read" fits it as far as it can be read, "whole" in any case. */
  private scale: number | "read" | "whole" = "read";
  private shown = "";

  constructor(private readonly session: Session) {
    this.element.append(this.tools, this.frame);
    this.frame.addEventListener("click", ({ target }) => this.chosen(target as Element));
    this.frame.addEventListener("keydown", (event) => this.pressed(event));
    this.frame.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
      },
      { passive: false },
    );
    new ResizeObserver(() => this.size()).observe(this.frame);
  }

  async show(session: Session, signal: AbortSignal): Promise<void> {
    this.drawTools();
    const answer = await session.ask("draw", { source: session.source, ...session.look, theme: session.theme }, signal);
    this.picture(answer.svg);
  }

  /** Put a picture into the frame; the same one is left as it is. */
  picture(text: string): void {
    if (text === this.shown) return;
    this.shown = text;
    const svg = sanitiseSvg(text);
    const before = this.svg;
    this.svg = svg;
    // Its boxes are buttons, and a picture has none.
    svg.setAttribute("role", "group");
    svg.removeAttribute("aria-labelledby");
    svg.setAttribute("aria-label", svg.querySelector("title")?.textContent || say("Diagram of the network"));
    // Of a box inside a box the inner one is the button.
    this.boxes = [...svg.querySelectorAll<SVGElement>(BOXES)].filter((box) => !box.querySelector(BOXES));
    for (const [place, box] of this.boxes.entries()) {
      box.setAttribute("role", "button");
      box.setAttribute("tabindex", place === 0 ? "0" : "-1");
      box.setAttribute("aria-label", nameOf(box));
    }
    this.frame.replaceChildren(svg);
    this.size();
    this.mark(this.session.state.layer ? [this.session.state.layer] : [], before === null);
  }

  mark(layers: readonly string[], scroll: boolean): void {
    const wanted = new Set(layers);
    let first: SVGElement | null = null;
    for (const box of this.boxes) {
      const inside = layersOf(box).some(
        (name) =>
          wanted.has(name) || layers.some((layer) => layer.startsWith(`${name}/`) || name.startsWith(`${layer}/`)),
      );
      box.classList.toggle("chosen", inside);
      box.setAttribute("aria-pressed", String(inside));
      if (inside) first ??= box;
    }
    if (first && scroll) first.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Every network can be drawn as blocks. */
  instead(): HTMLElement | null {
    const { style } = this.session.state;
    if (!style || style === "blocks") return null;
    return button(say("Draw blocks instead"), () => this.session.show({ style: "blocks" }));
  }

  private drawTools(): void {
    const { session } = this;
    const { style, depth } = session.state;
    const lists = this.tools.querySelectorAll("select");
    for (const [place, value] of [style, depth].entries()) {
      const list = lists[place];
      if (list) list.value = value;
    }
    if (this.tools.childElementCount || !session.catalogue.styles.length) return;
    this.tools.append(
      select(
        say("Style"),
        [["", say("automatic")], ...session.catalogue.styles.map((name): [string, string] => [name, spoken(name)])],
        style,
        (style) => session.show({ style }),
      ),
      select(say("Depth"), depths(), depth, (depth) => session.show({ depth })),
      h(
        "span",
        { class: "zoom", role: "group", "aria-label": say("Zoom") },
        button("−", () => this.zoom(1 / 1.25), { "aria-label": say("Zoom out") }),
        button(say("Fit"), () => {
          this.scale = "whole";
          this.size();
        }),
        button("+", () => this.zoom(1.25), { "aria-label": say("Zoom in") }),
      ),
    );
  }

  private zoom(factor: number): void {
    this.scale = Math.max(0.05, Math.min(8, this.current() * factor));
    this.size();
  }

  private current(): number {
    const box = this.svg?.viewBox.baseVal;
    if (!box?.width) return 1;
    if (typeof this.scale === "number") return this.scale;
    const [width, height] = [this.frame.clientWidth - 32, this.frame.clientHeight - 32];
    const whole = Math.min(width / box.width, height / box.height, 1.25);
    // What would be too small to read scrolls.
    return this.scale === "whole" ? whole : Math.max(whole, Math.min(width / box.width, 1), LEAST);
  }

  private size(): void {
    const box = this.svg?.viewBox.baseVal;
    if (!this.svg || !box?.width || this.frame.clientWidth <= 32) return;
    const scale = this.current();
    this.svg.setAttribute("width", String(Math.round(box.width * scale)));
    this.svg.setAttribute("height", String(Math.round(box.height * scale)));
  }

  private chosen(target: Element): void {
    const box = this.boxes.find((one) => one.contains(target));
    const layer = box && layersOf(box)[0];
    if (layer) this.session.choose(layer, "diagram");
  }

  private pressed(event: KeyboardEvent): void {
    const at = this.boxes.indexOf(event.target as SVGElement);
    if (at < 0) return;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter" || event.key === " ") this.chosen(event.target as Element);
    else if (step) this.focus(this.boxes[at + step]);
    else if (event.key === "Home") this.focus(this.boxes[0]);
    else if (event.key === "End") this.focus(this.boxes.at(-1));
    else return;
    event.preventDefault();
  }

  private focus(box: SVGElement | undefined): void {
    if (!box) return;
    for (const one of this.boxes) one.setAttribute("tabindex", one === box ? "0" : "-1");
    box.focus();
  }
}
