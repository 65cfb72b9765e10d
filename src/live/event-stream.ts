import type { ServerResponse } from "node:http";

/** The most pages that are kept up to date at the same time. */
const MOST = 200;
/** The time between two signs of life, in milliseconds, so that a connection which is dead is noticed. */
const BEAT_MS = 15_000;

/** The pages that are open: each hears which runs and studies have changed, by server-sent events. */
export class EventStream {
  readonly #open = new Set<ServerResponse>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#send(": still here\n\n"), BEAT_MS);
    this.#timer.unref();
  }

  /** The number of pages that listen. */
  get size(): number {
    return this.#open.size;
  }

  /** Adds a page. */
  add(response: ServerResponse): void {
    if (response.req.method === "HEAD" || this.#open.size >= MOST) {
      response.writeHead(503).end();
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    // After a break a browser tries again after this time, in milliseconds.
    response.write("retry: 1500\n\n");
    this.#open.add(response);
    response.on("close", () => this.#open.delete(response));
  }

  /** Tells which runs and studies have changed. */
  tell(changed: readonly string[]): void {
    if (changed.length > 0) this.#send(`data: ${JSON.stringify(changed)}\n\n`);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const response of this.#open) response.destroy();
  }

  #send(text: string): void {
    for (const response of this.#open) {
      // A page that does not read is dropped rather than remembered; it comes back by itself.
      if (response.writableLength > 64 * 1024) response.destroy();
      else response.write(text);
    }
  }
}
