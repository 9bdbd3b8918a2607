/** The whole state in the part of a link after `#`: nothing of it is sent to a server. */

import type { Value } from "./api";
import { say } from "./words";

export const VIEWS = ["diagram", "table", "charts", "memory", "lint", "check", "compare", "exercise"] as const;
export type ViewId = (typeof VIEWS)[number];

export interface State {
  /** The catalogue network whose spec the text is, unchanged; else "". */
  name: string;
  text: string;
  input: string;
  parameters: Record<string, Value>;
  view: ViewId;
  layer: string;
  other: string;
  /** Input and parameters of the other network, where it was this one with changed values. */
  otherInput: string;
  otherParameters: Record<string, Value>;
  convention: string;
  depth: string;
  /** Depth to which the table is folded; "" has every layer. */
  folded: string;
  style: string;
  chart: string;
  columns: string[];
  lang: string;
  embed: boolean;
}

export const EMPTY: State = {
  name: "",
  text: "",
  input: "",
  parameters: {},
  view: "diagram",
  layer: "",
  other: "",
  otherInput: "",
  otherParameters: {},
  convention: "",
  depth: "",
  folded: "",
  style: "",
  chart: "",
  columns: [],
  lang: "",
  embed: false,
};

/** A link longer than this is neither made nor read, and no text that unpacks to more than `MOST`. */
export const LONGEST = 200_000;
const MOST = 4_000_000;
const NAME = /^[\w.+-]{1,60}(@[\w.+,@-]{1,60})?$/;
const SHORT = ["view", "layer", "depth", "folded", "style", "chart", "convention", "lang", "input"] as const;

/** With what a link may begin other than a name. */
const STARTS = new Set<string>([...SHORT, "z", "embed", "name", "text", "other"]);

const count = (number: number) => number.toLocaleString("en");

/** The part of a link after `#`, without it. Rejects with an Error whose message can be shown where it is too long. */
export async function encode(state: State): Promise<string> {
  const parts: string[] = [];
  if (state.name && !Object.keys(state.parameters).length && !state.other && !state.columns.length) {
    parts.push(state.name);
    for (const key of SHORT) {
      const value = state[key];
      if (value && value !== EMPTY[key]) parts.push(`${key}=${encodeURIComponent(value)}`);
    }
  } else {
    const kept: Record<string, unknown> = {};
    for (const key of Object.keys(EMPTY) as (keyof State)[]) {
      if (key === "embed" || (key === "text" && state.name)) continue;
      // A spec may be empty.
      if ((key === "text" && !state.name) || JSON.stringify(state[key]) !== JSON.stringify(EMPTY[key]))
        kept[key] = state[key];
    }
    const bytes = await pass(new TextEncoder().encode(JSON.stringify(kept)), new CompressionStream("deflate"));
    parts.push(`z=${toBase64Url(bytes)}`);
  }
  if (state.embed) parts.push("embed=1");
  const link = parts.join("&");
  if (link.length > LONGEST) {
    throw new Error(
      say("This spec is too long for a link: {length} characters, of which {most} are read. Pass it on as a file.", {
        length: count(link.length),
        most: count(LONGEST),
      }),
    );
  }
  return link;
}

/** What a link says. Rejects with an Error whose message can be shown; whatever is not understood is left out. */
export async function decode(hash: string): Promise<Partial<State>> {
  const text = hash.replace(/^#/, "");
  if (text.length > LONGEST) {
    throw new Error(
      say(
        "This link is too long: of {length} characters {most} are read. Ask for the spec as a file, and drop it here.",
        {
          length: count(text.length),
          most: count(LONGEST),
        },
      ),
    );
  }
  const found: Partial<State> = {};
  for (const [place, part] of text.split("&").entries()) {
    if (!part) continue;
    const [key, value] = split(part);
    if (place === 0 && !STARTS.has(key) && (value || !NAME.test(key))) {
      throw new Error(say("This link does not name a network."));
    }
    if (key === "z") {
      const kept = checked(await unpack(value));
      // What was packed is a network at least.
      if (!kept.name && kept.text === undefined) throw new Error(damaged());
      Object.assign(found, kept);
    } else if (key === "embed") found.embed = value === "1";
    else if (place === 0 && value === "" && NAME.test(key)) found.name = key;
    else Object.assign(found, checked({ [key]: value }));
  }
  return found;
}

function split(part: string): [string, string] {
  const at = part.indexOf("=");
  const [key, value] = at < 0 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)];
  try {
    return [decodeURIComponent(key), key === "z" ? value : decodeURIComponent(value)];
  } catch {
    throw new Error(say("This link is damaged: it holds a % that stands for nothing."));
  }
}

const damaged = () => say("This link is damaged: a part of it is missing or changed.");

async function unpack(value: string): Promise<unknown> {
  try {
    const bytes = await pass(fromBase64Url(value), new DecompressionStream("deflate"));
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Error(damaged());
  }
}

/** What is of the right kind; a link is written by anybody. */
export function checked(raw: unknown): Partial<State> {
  const found: Partial<State> = {};
  if (typeof raw !== "object" || raw === null) return found;
  const given = raw as Record<string, unknown>;
  for (const key of ["text", "other", "otherInput", ...SHORT] as const) {
    const value = given[key];
    if (typeof value !== "string") continue;
    if (key === "view") {
      if ((VIEWS as readonly string[]).includes(value)) found.view = value as ViewId;
    } else if (key === "lang") {
      if (/^[a-z]{2}$/.test(value)) found.lang = value;
    } else found[key] = value;
  }
  if (typeof given.name === "string" && NAME.test(given.name)) found.name = given.name;
  if (Array.isArray(given.columns)) {
    found.columns = given.columns.filter((key): key is string => typeof key === "string").slice(0, 100);
  }
  for (const key of ["parameters", "otherParameters"] as const) {
    const values = given[key];
    if (typeof values === "object" && values !== null)
      found[key] = Object.fromEntries(
        Object.entries(values)
          .slice(0, 100)
          .filter(([, value]) => isValue(value)),
      );
  }
  return found;
}

/** Where the state of the page is kept. */
export interface Keeper {
  /** Whether there is a link that can be passed on. */
  readonly canShare: boolean;
  /** Rejects with an Error whose message can be shown. */
  read(): Promise<Partial<State>>;
  write(state: State): void | Promise<void>;
  /** Hear of it when somebody else changes it. */
  changed(listener: () => void): void;
}

export const theLink: Keeper = {
  canShare: true,
  read: () => decode(location.hash),
  async write(state) {
    // What is too long for a link is not kept; sharing says so.
    const link = await encode(state).catch(() => "");
    history.replaceState(null, "", `#${link}`);
  },
  changed: (listener) => addEventListener("hashchange", listener),
};

function isValue(value: unknown): value is Value {
  return typeof value === "boolean" || typeof value === "string" || Number.isFinite(value);
}

async function pass(bytes: Uint8Array, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const reader = source.pipeThrough(stream as ReadableWritablePair<Uint8Array, Uint8Array>).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > MOST) {
      await reader.cancel();
      throw new Error("too large");
    }
    parts.push(value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromBase64Url(text: string): Uint8Array {
  return fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
}
