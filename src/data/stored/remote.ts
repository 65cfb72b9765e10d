/**
 * Reads parts of files on web servers by HTTP's range requests, on a thread of its own: the training blocks the event loop during
 * a step, and answers would wait for it.
 */
import { Worker } from "node:worker_threads";

/** Requests that are under way at once. */
const atOnce = 16;

/** Whether a file is one on a web server. */
export function isRemote(path: string): boolean {
  return /^https?:\/\//.test(path);
}

/** Finds the encodings that fetch unpacks by itself: what it gives then has other offsets than the file. */
export const packed = /gzip|deflate|zstd|\bbr\b/;

/** A part of a file on a web server. */
export interface RemotePart {
  readonly url: string;
  readonly offset: number;
  readonly length: number;
}

export interface RemoteOptions {
  /** Milliseconds after which an answer must be there as a whole. Default: 20 s. */
  timeout?: number;
  /** Milliseconds before a server is asked a second time, four times as many before the third. Default: 0.8 s. */
  pause?: number;
}

// The worker's program is a text, since it runs from sources, from a bundle and in tests alike. An answer must be exactly the part
// that was asked for, and is dropped as soon as it is longer. Servers that are busy are asked again, three times in all.
const program = `
const { parentPort } = require("node:worker_threads");
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function get({ url, offset, length }, timeout) {
  const last = offset + length - 1;
  const headers = { range: "bytes=" + offset + "-" + last, "accept-encoding": "identity" };
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(timeout) });
  if (response.status !== 206) {
    await response.body?.cancel();
    const error = new Error(response.status === 200 ? "the server does not answer range requests" : "the server answered " + response.status);
    error.again = response.status >= 500 || response.status === 429;
    throw error;
  }
  const sent = response.headers.get("content-range");
  const found = /^bytes (\\d+)-(\\d+)\\/(\\d+|\\*)$/.exec(sent ?? "");
  if (sent !== null && (!found || Number(found[1]) !== offset || Number(found[2]) !== last)) {
    await response.body?.cancel();
    throw new Error("the server sent another part than was asked for");
  }
  if (${packed}.test(response.headers.get("content-encoding"))) {
    await response.body?.cancel();
    throw new Error("the server sent it packed, though it was asked not to");
  }
  const bytes = new Uint8Array(length);
  let received = 0;
  for await (const chunk of response.body ?? []) {
    if (received + chunk.length > length) throw new Error("the server sent more than was asked for");
    bytes.set(chunk, received);
    received += chunk.length;
  }
  if (received < length) throw Object.assign(new Error("the answer was cut short"), { again: true });
  return bytes;
}
parentPort.on("message", async ({ id, part, timeout, pause: first }) => {
  for (let tries = 1; ; tries++) {
    try {
      const bytes = await get(part, timeout);
      return parentPort.postMessage({ id, bytes }, [bytes.buffer]);
    } catch (error) {
      const again = error.again ?? (error.name === "TypeError" || error.name === "TimeoutError");
      if (again && tries < 3) { await pause(first * 4 ** (tries - 1)); continue; }
      const reason = error.cause?.message ? error.message + ": " + error.cause.message : error.message;
      return parentPort.postMessage({ id, problem: reason });
    }
  }
});
`;

interface Waiting {
  resolve(bytes: Uint8Array): void;
  reject(error: Error): void;
}

let worker: Worker | undefined;
const waiting = new Map<number, Waiting>();
const queue: ({ id: number; part: RemotePart } & Required<RemoteOptions>)[] = [];
let lastId = 0;

/**
 * Reads a part of a file.
 *
 * @throws Error that says what the server answered, or why there was no answer
 */
export function readRemote(
  part: RemotePart,
  { timeout = 20_000, pause = 800 }: RemoteOptions = {},
): Promise<Uint8Array> {
  if (part.length === 0) return Promise.resolve(new Uint8Array(0));
  return new Promise((resolve, reject) => {
    const id = ++lastId;
    const settled = () => {
      waiting.delete(id);
      sendNext();
    };
    queue.push({ id, part, timeout, pause });
    waiting.set(id, {
      resolve: (bytes) => {
        settled();
        resolve(bytes);
      },
      reject: (error) => {
        settled();
        reject(error);
      },
    });
    sendNext();
  });
}

/** Sends requests to the worker, as many as may be under way. The process may end where there are none. */
function sendNext(): void {
  if (!worker) {
    worker = new Worker(program, { eval: true });
    worker.on("message", ({ id, bytes, problem }: { id: number; bytes?: Uint8Array; problem?: string }) => {
      if (bytes) waiting.get(id)?.resolve(bytes);
      else waiting.get(id)?.reject(new Error(problem));
    });
    worker.on("error", (error: Error) => {
      worker = undefined;
      queue.length = 0;
      for (const { reject } of [...waiting.values()]) reject(error);
    });
  }
  while (queue.length > 0 && waiting.size - queue.length < atOnce) worker.postMessage(queue.shift());
  if (waiting.size > 0) worker.ref();
  else worker.unref();
}
