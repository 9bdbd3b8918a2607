/** The page in a frame of a notebook: its functions and its state go through a port to the widget around it. */

import type { Answer, Name, Request } from "./api";
import { checked as checkedState, type Keeper, type State } from "./link";
import { checked, type Transport } from "./transport";

/** What the page sends: a request, that nobody waits for it any more, or its state. */
export type FromPage = { id: string; name: Name; request: unknown } | { id: string; cancel: true } | { state: State };
/** What the notebook sends: an answer, or another state. */
export type FromNotebook = { id: string; answer: unknown } | { state: unknown };

/** What holds the frame sends a port as its first message. Nobody else can: a frame knows its parent. */
export function connected(): Promise<{ port: MessagePort; state: Partial<State> }> {
  return new Promise((resolve) => {
    const greeted = (event: MessageEvent) => {
      const port = event.ports[0];
      if (event.source !== window.parent || !port) return;
      removeEventListener("message", greeted);
      resolve({ port, state: checkedState((event.data as { state?: unknown }).state) });
    };
    addEventListener("message", greeted);
  });
}

/** Calls of functions, and the state of the page, over one port. */
export class PortTransport implements Transport, Keeper {
  readonly canShare = false;
  private readonly waiting = new Map<string, (answer: unknown) => void>();
  private readonly listeners: (() => void)[] = [];
  private last = 0;

  constructor(
    private readonly port: MessagePort,
    private state: Partial<State>,
  ) {
    port.addEventListener("message", ({ data }: MessageEvent<FromNotebook>) => {
      if ("answer" in data) {
        this.waiting.get(data.id)?.(data.answer);
        this.waiting.delete(data.id);
      } else {
        this.state = checkedState(data.state);
        for (const listener of this.listeners) listener();
      }
    });
    port.start();
  }

  call<N extends Name>(name: N, request: Request<N>, signal?: AbortSignal): Promise<Answer<N>> {
    const id = String(++this.last);
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      this.waiting.set(id, (answer) => {
        try {
          resolve(checked(answer));
        } catch (error) {
          reject(error);
        }
      });
      signal?.addEventListener("abort", () => {
        if (this.waiting.delete(id)) this.say({ id, cancel: true });
        reject(signal.reason);
      });
      this.say({ id, name, request });
    });
  }

  async read(): Promise<Partial<State>> {
    return this.state;
  }

  write(state: State): void {
    this.state = state;
    this.say({ state });
  }

  changed(listener: () => void): void {
    this.listeners.push(listener);
  }

  private say(message: FromPage): void {
    this.port.postMessage(message);
  }
}
