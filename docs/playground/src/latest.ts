/** Of many runs only the last counts: an earlier one is aborted, and a burst of starts is one run after the pause. */

export class Latest {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private controller: AbortController | undefined;

  constructor(
    private readonly run: (signal: AbortSignal) => Promise<void>,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Run after `pause` milliseconds, unless this is called again before. */
  start(pause = 0): void {
    clearTimeout(this.timer);
    this.controller?.abort();
    const controller = new AbortController();
    this.controller = controller;
    this.timer = setTimeout(() => {
      this.run(controller.signal).catch((error: unknown) => {
        if (!controller.signal.aborted) this.failed(error);
      });
    }, pause);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.controller?.abort();
  }
}
