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

/** A part of a file on a web server. */
export interface RemotePart {
  readonly url: string;
  readonly offset: number;
  readonly length: number;
}

// The worker's program is a text, since it runs from sources, from a bundle and in tests alike. An answer must be exactly the part
// that was asked for, and is dropped as soon as it is longer. Servers that are busy are asked again, three times in all.
const program = `
const { parentPort } = require("node:worker_threads");
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function get({ url, offset, length }) {
  const range = "bytes=" + offset + "-" + (offset + length - 1);
  const response = await fetch(url, { headers: { range }, signal: AbortSignal.timeout(20000) });
  if (response.status !== 206) {
    await response.body?.cancel();
    const error = new Error(response.status === 200 ? "the server does not answer range requests" : "the server answered " + response.status);
    error.again = response.status >= 500 || response.status === 429;
    throw error;
  }
  const sent = /^bytes (\\d+)-/.exec(response.headers.get("content-range") ?? "");
  if (sent && Number(sent[1]) !== offset) {
    await response.body?.cancel();
    throw new Error("the server sent another part than was asked for");
  }
  const bytes = new Uint8Array(length);
  let received = 0;
  for await (const chunk of response.body) {
    if (received + chunk.length > length) throw new Error("the server sent more than was asked for");
    bytes.set(chunk, received);
    received += chunk.length;
  }
  if (received < length) throw Object.assign(new Error("the answer was cut short"), { again: true });
  return bytes;
}
parentPort.on("message", async ({ id, part }) => {
  for (let tries = 1; ; tries++) {
    try {
      const bytes = await get(part);
      return parentPort.postMessage({ id, bytes }, [bytes.buffer]);
    } catch (error) {
      const again = error.again ?? (error.name === "TypeError" || error.name === "TimeoutError");
      if (again && tries < 3) { await pause(200 * 4 ** tries); continue; }
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
const queue: { id: number; part: RemotePart }[] = [];
let lastId = 0;

/**
 * Reads a part of a file.
 *
 * @throws Error that says what the server answered, or why there was no answer
 */
export function readRemote(part: RemotePart): Promise<Uint8Array> {
  if (part.length === 0) return Promise.resolve(new Uint8Array(0));
  return new Promise((resolve, reject) => {
    const id = ++lastId;
    const settled = () => {
      waiting.delete(id);
      sendNext();
    };
    queue.push({ id, part });
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
