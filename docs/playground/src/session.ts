/** What all parts of the page share: the state, the last analysis, and who wants to hear of changes. */

import type { Answer, Functions, Good, Name, Problem, Request, Source } from "./api";
import { EMPTY, type State } from "./link";
import type { Transport } from "./transport";

export type Catalogue = Good<"catalogue">;
export type Analysis = Good<"analyse">;

/** A function answered with errors: they are those of the spec. */
export class Refused extends Error {
  /** `needs`: a file that lacks the size of its input is read once more with it. */
  constructor(
    readonly problems: Problem[],
    readonly needs?: "input",
  ) {
    super(problems.map((problem) => problem.message).join("\n"));
  }
}

/** Whether a text is an older one that was changed: it has its name, or half of its lines. */
export function isChanged(before: string, now: string): boolean {
  const name = (text: string) => /^name:\s*(\S.*)/m.exec(text)?.[1]?.trim();
  if (name(before) && name(before) === name(now)) return true;
  const lines = (text: string) =>
    text
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
  const old = lines(before);
  const kept = new Set(lines(now));
  return old.length > 0 && 2 * old.filter((line) => kept.has(line)).length >= old.length;
}

/** A depth as a request has it: a whole number, else none. */
export function depthOf(text: string): { depth?: number } {
  const depth = Number.parseInt(text, 10);
  return Number.isFinite(depth) ? { depth } : {};
}

export function sourceOf(text: string, input: string, parameters: State["parameters"]): Source {
  return {
    text,
    ...(input ? { input } : {}),
    ...(Object.keys(parameters).length ? { parameters } : {}),
  };
}

export interface Events {
  /** Another text, input or parameter: everything is to be calculated again. */
  network: () => void;
  /** The analysis of the text as it is now has come. */
  analysed: (analysis: Analysis) => void;
  /** Another layer is chosen; who chose it need not scroll to it. */
  layer: (layer: string, from: string) => void;
  /** The catalogue has come, or its numbers. */
  catalogue: () => void;
  /** Another pane, style, column: what is shown of the same network. */
  shown: () => void;
}

export class Session {
  state: State = { ...EMPTY };
  analysis: Analysis | null = null;
  private readonly listeners: { [E in keyof Events]: Events[E][] } = {
    network: [],
    analysed: [],
    layer: [],
    catalogue: [],
    shown: [],
  };

  catalogue: Catalogue = { ok: true, networks: [], examples: [], conventions: [], styles: [], quantities: [] };
  private counted = false;

  constructor(readonly transport: Transport) {}

  /** The catalogue; `counts` asks for its numbers too, which take longer. */
  async loadCatalogue(counts = false): Promise<void> {
    if (this.counted) return;
    const answer = await this.call("catalogue", counts ? { counts } : {});
    if (!answer.ok || this.counted) return;
    this.counted = counts;
    this.catalogue = answer;
    this.emit("catalogue");
  }

  on<E extends keyof Events>(event: E, listener: Events[E]): void {
    this.listeners[event].push(listener);
  }

  emit<E extends keyof Events>(event: E, ...values: Parameters<Events[E]>): void {
    for (const listener of this.listeners[event]) (listener as (...values: unknown[]) => void)(...values);
  }

  /** Change the network: everything follows. */
  change(patch: Partial<State>): void {
    this.state = { ...this.state, ...patch };
    this.emit("network");
  }

  /** Change what is shown of it. */
  show(patch: Partial<State>): void {
    this.state = { ...this.state, ...patch };
    this.emit("shown");
  }

  choose(layer: string, from: string): void {
    if (layer === this.state.layer) return;
    this.state = { ...this.state, layer };
    this.emit("layer", layer, from);
  }

  get source(): Source {
    const { text, input, parameters } = this.state;
    return sourceOf(text, input, parameters);
  }

  /** Which numbers are shown, and how they are counted. */
  get reading(): { convention?: string; columns?: string } {
    const { convention, columns } = this.state;
    return { ...(convention ? { convention } : {}), ...(columns.length ? { columns: columns.join(",") } : {}) };
  }

  /** How the diagram is drawn. */
  get look(): { style?: string; depth?: number } {
    const { style } = this.state;
    return { ...(style ? { style } : {}), ...depthOf(this.state.depth) };
  }

  get theme(): "light" | "dark" {
    return document.documentElement.dataset.theme === "dark" ? "dark" : "light";
  }

  call<N extends Name>(name: N, request: Request<N>, signal?: AbortSignal): Promise<Answer<N>> {
    const { lang } = this.state;
    return this.transport.call(name, lang ? { ...request, lang } : request, signal);
  }

  /** The answer where it is good; else throws `Refused`. */
  async ask<N extends Name>(name: N, request: Request<N>, signal?: AbortSignal): Promise<Functions[N][1]> {
    const answer = await this.call(name, request, signal);
    signal?.throwIfAborted();
    if (!answer.ok) throw new Refused(answer.errors);
    return answer;
  }

  /** Rows that a line of the spec gives. */
  layersAt(line: number): string[] {
    return (this.analysis?.rows ?? []).filter((row) => row.line === line).map((row) => row.name);
  }

  linesOf(layer: string): number[] {
    const rows = (this.analysis?.rows ?? []).filter((row) => row.name === layer || row.name.startsWith(`${layer}/`));
    return [...new Set(rows.flatMap((row) => (row.line ? [row.line] : [])))];
  }
}

/** A pane at the right. */
export interface View {
  readonly title: string;
  readonly element: HTMLElement;
  /** Show the network as it is. Called when the pane is open and something changed. */
  show(session: Session, signal: AbortSignal): Promise<void>;
  /** Another layer is chosen, or the spec's cursor is at these layers. */
  mark?(layers: readonly string[], scroll: boolean): void;
  /** What can be shown where the pane was refused, as a button. */
  instead?(): HTMLElement | null;
}
