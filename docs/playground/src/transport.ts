/** Two ways to the same functions: a server on this machine, or Python in a worker of this tab. */

import type { Answer, Name, Request } from "./api";

export interface Transport {
  /** The answer of a function. Rejects with an AbortError where `signal` is aborted first. */
  call<N extends Name>(name: N, request: Request<N>, signal?: AbortSignal): Promise<Answer<N>>;
}

/** How far the engine is: the share from 0 to 1 and what is done at the moment. */
export type Progress = (share: number, what: string) => void;

/** The server is not there, or what came is no answer of it. */
export class Unreachable extends Error {}

/** `POST ./api/NAME`. */
export class HttpTransport implements Transport {
  constructor(private readonly language = "") {}

  async call<N extends Name>(name: N, request: Request<N>, signal?: AbortSignal): Promise<Answer<N>> {
    const body = JSON.stringify(this.language ? { ...request, lang: this.language } : request);
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
      throw new Unreachable("archcalc serve does not answer. Was it stopped?");
    }
    let answer: unknown;
    try {
      answer = await response.json();
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Unreachable(`archcalc serve answered ${response.status} without JSON.`);
    }
    return checked(answer);
  }
}

/** Messages to a worker and back; requests wait until its engine is ready. */
export class WorkerTransport implements Transport {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, { resolve: (answer: unknown) => void; reject: (e: Error) => void }>();
  private last = 0;
  readonly ready: Promise<void>;

  constructor(
    progress: Progress,
    private readonly language = "",
    make = () => new Worker("./worker.js", { type: "module" }),
  ) {
    this.worker = make();
    let done = () => {};
    let failed = (_: Error) => {};
    this.ready = new Promise((resolve, reject) => {
      done = resolve;
      failed = reject;
    });
    this.worker.addEventListener("message", ({ data }: MessageEvent) => {
      if (data.kind === "progress") progress(data.share, data.what);
      else if (data.kind === "ready") done();
      else if (data.kind === "failed") {
        const error = new Unreachable(data.message);
        failed(error);
        for (const { reject } of this.waiting.values()) reject(error);
        this.waiting.clear();
      } else {
        this.waiting.get(data.id)?.resolve(data.answer);
        this.waiting.delete(data.id);
      }
    });
    this.worker.addEventListener("error", (event) => failed(new Unreachable(event.message || "The worker failed.")));
  }

  async call<N extends Name>(name: N, request: Request<N>, signal?: AbortSignal): Promise<Answer<N>> {
    await this.ready;
    // What was overtaken while it waited is never sent: Python answers one request after the other.
    signal?.throwIfAborted();
    const id = ++this.last;
    const full = this.language ? { ...request, lang: this.language } : request;
    const answer = await new Promise<unknown>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, name, request: full });
    });
    signal?.throwIfAborted();
    return checked(answer);
  }
}

function checked<N extends Name>(answer: unknown): Answer<N> {
  if (typeof answer !== "object" || answer === null || typeof (answer as { ok?: unknown }).ok !== "boolean") {
    throw new Unreachable("What came is no answer of archcalc.");
  }
  return answer as Answer<N>;
}

/** What the static build knows before its engine is ready: the catalogue, and each network of it as it is. */
export class StaticTransport implements Transport {
  private readonly networks = new Map<string, Promise<Record<string, unknown> | null>>();
  private ready = false;

  constructor(private readonly engine: WorkerTransport) {
    engine.ready.then(
      () => {
        this.ready = true;
      },
      () => {},
    );
  }

  async call<N extends Name>(name: N, request: Request<N>, signal?: AbortSignal): Promise<Answer<N>> {
    if (!this.ready) {
      const known = await this.known(name, request);
      signal?.throwIfAborted();
      if (known) return checked(known);
    }
    return this.engine.call(name, request, signal);
  }

  private async known(name: Name, request: Request<Name>): Promise<unknown> {
    if (name === "catalogue") return json("./catalogue.json");
    if (name === "spec") return (await this.network((request as Request<"spec">).name))?.spec;
    if (name !== "analyse" && name !== "draw") return null;
    const { source, ...choices } = request as Request<"analyse">;
    const plain = Object.keys(source).length === 1 && Object.keys(choices).every((key) => key === "theme");
    if (!plain || (choices as { theme?: string }).theme === "dark") return null;
    for (const one of this.networks.values()) {
      const network = await one;
      if ((network?.spec as { text?: string } | undefined)?.text === source.text) return network?.[name];
    }
    return null;
  }

  private network(name: string): Promise<Record<string, unknown> | null> {
    const known = this.networks.get(name) ?? (/^[\w.+-]+$/.test(name) ? json(`./networks/${name}.json`) : null);
    const answer = Promise.resolve(known);
    this.networks.set(name, answer);
    return answer;
  }
}

/** A file of the build; null where there is none, and the engine answers later. */
async function json(address: string): Promise<Record<string, unknown> | null> {
  const response = await fetch(address);
  return response.ok ? ((await response.json()) as Record<string, unknown>) : null;
}
