/** Two ways to the same functions: a server on this machine, or Python in a worker of this tab. */

import type { Answer, Name, Request } from "./api";
import { say } from "./words";

export interface Transport {
  /** The answer of a function. Rejects with an AbortError where `signal` is aborted first. */
  call<N extends Name>(name: N, request: Request<N>, signal?: AbortSignal): Promise<Answer<N>>;
}

/** How far the engine is: the share from 0 to 1 and what is done at the moment. */
export type Progress = (share: number, what: string) => void;

/** The server is not there, or what came is no answer of it. */
export class Unreachable extends Error {}

/** Milliseconds until a server that has too much to do is asked again, and how often it is. */
const LATER = 500;
const MOST = 20;

/** The largest request without a file that the server takes. */
const LARGEST = 2 * 1024 * 1024;

/** `POST ./api/NAME`. */
export class HttpTransport implements Transport {
  constructor(private readonly later = LATER) {}

  async call<N extends Name>(name: N, request: Request<N>, signal?: AbortSignal): Promise<Answer<N>> {
    for (let times = 1; ; times++) {
      const answer = await this.once(name, request, signal);
      if (answer.ok || !answer.busy || times === MOST) return answer;
      await new Promise((resolve) => setTimeout(resolve, this.later));
      signal?.throwIfAborted();
    }
  }

  private async once<N extends Name>(name: N, request: Request<N>, signal?: AbortSignal): Promise<Answer<N>> {
    const body = JSON.stringify(request);
    if (name !== "import_file" && name !== "check" && new Blob([body]).size > LARGEST) {
      const message = say("The spec is too long: {most} MiB are read.", { most: 1 });
      return { ok: false, errors: [{ message, severity: "error" }] };
    }
    let response: Response;
    try {
      response = await fetch(`./api/${name}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
        ...(signal ? { signal } : {}),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Unreachable(say("archcalc serve does not answer. Was it stopped?"));
    }
    let answer: unknown;
    try {
      answer = await response.json();
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Unreachable(say("archcalc serve answered {status} without JSON.", { status: response.status }));
    }
    return checked(answer);
  }
}

/** Messages to a worker and back; requests wait until its engine is ready. One that could not start is started again. */
export class WorkerTransport implements Transport {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, { resolve: (answer: unknown) => void; reject: (e: Error) => void }>();
  private last = 0;
  /** Settled once the engine has answered all that was sent. */
  private idle: Promise<unknown> = Promise.resolve();
  private ready: Promise<void>;

  /** `started` hears that the engine is ready, or why it is not. */
  constructor(
    private readonly progress: Progress,
    private readonly started: (error?: Error) => void = () => {},
    private readonly make = () => new Worker("./worker.js", { type: "module" }),
  ) {
    this.ready = this.start();
  }

  private start(): Promise<void> {
    const worker = this.make();
    this.worker = worker;
    const ready = new Promise<void>((resolve, reject) => {
      const failed = (message: string) => {
        const error = new Unreachable(message);
        if (this.worker === worker) this.worker = undefined;
        worker.terminate();
        reject(error);
        for (const waiting of this.waiting.values()) waiting.reject(error);
        this.waiting.clear();
      };
      worker.addEventListener("message", ({ data }: MessageEvent) => {
        if (data.kind === "progress") this.progress(data.share, data.what);
        else if (data.kind === "ready") resolve();
        else if (data.kind === "failed") failed(data.message);
        else {
          this.waiting.get(data.id)?.resolve(data.answer);
          this.waiting.delete(data.id);
        }
      });
      worker.addEventListener("error", (event) => failed(event.message || "The worker failed."));
    });
    ready.then(
      () => this.started(),
      (error: Error) => this.started(error),
    );
    return ready;
  }

  async call<N extends Name>(name: N, request: Request<N>, signal?: AbortSignal): Promise<Answer<N>> {
    if (!this.worker) this.ready = this.start();
    await this.ready;
    // Python answers one request after the other. What was overtaken while it waited is never sent.
    const answer = this.idle.then(() => {
      signal?.throwIfAborted();
      return this.send(name, request);
    });
    this.idle = answer.catch(() => {});
    const found = await answer;
    signal?.throwIfAborted();
    return checked(found);
  }

  private send(name: Name, request: unknown): Promise<unknown> {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker?.postMessage({ id, name, request });
    });
  }
}

export function checked<N extends Name>(answer: unknown): Answer<N> {
  if (typeof answer !== "object" || answer === null || typeof (answer as { ok?: unknown }).ok !== "boolean") {
    throw new Unreachable(say("What came is no answer of archcalc."));
  }
  return answer as Answer<N>;
}

/** What the static build knows without its engine: the catalogue, and its landmarks as they are. */
export class StaticTransport implements Transport {
  private readonly files = new Map<string, Promise<Record<string, unknown> | null>>();
  /** The file of a network by the text of its spec. */
  private readonly opened = new Map<string, string>();

  constructor(private readonly engine: WorkerTransport) {}

  async call<N extends Name>(name: N, request: Request<N>, signal?: AbortSignal): Promise<Answer<N>> {
    const known = await this.known(name, request);
    signal?.throwIfAborted();
    return known ? checked(known) : this.engine.call(name, request, signal);
  }

  private async known(name: Name, request: Request<Name>): Promise<unknown> {
    if (name === "catalogue") return this.file("./catalogue.json");
    if (name === "spec") return this.spec((request as Request<"spec">).name);
    if (name !== "analyse" && name !== "draw") return null;
    const { source, ...choices } = request as Request<"analyse">;
    const file = this.opened.get(source.text);
    const plain = Object.keys(source).length === 1 && Object.keys(choices).every((key) => key === "theme");
    if (!file || !plain) return null;
    if ((choices as { theme?: string }).theme === "dark") return this.file(`${file}-dark.json`);
    return (await this.file(`${file}.json`))?.[name];
  }

  private async spec(name: string): Promise<unknown> {
    // Only what is there is asked for: a browser writes a missing file to its console.
    const networks = (await this.file("./catalogue.json"))?.networks as { name: string; file?: string }[] | undefined;
    const found = networks?.find((one) => one.name === name)?.file;
    if (!found) return null;
    const file = `./networks/${found}`;
    const spec = (await this.file(`${file}.json`))?.spec as { text?: string } | undefined;
    if (spec?.text) this.opened.set(spec.text, file);
    return spec;
  }

  /** A file of the build; null where there is none, and the engine answers later. */
  private file(address: string): Promise<Record<string, unknown> | null> {
    const before = this.files.get(address);
    if (before) return before;
    const found = json(address);
    this.files.set(address, found);
    // What did not come is asked for again.
    found.catch(() => this.files.delete(address));
    return found;
  }
}

async function json(address: string): Promise<Record<string, unknown> | null> {
  const response = await fetch(address);
  return response.ok ? ((await response.json()) as Record<string, unknown>) : null;
}
