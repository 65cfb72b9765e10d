/** The process of `ends.test.ts`, which ends while images are decoded in the way that its first argument names. */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { decodeBatch, placesInMemory } from "../index.js";

const [what, image] = (isMainThread ? process.argv.slice(2) : workerData) as [string, string];

/** Decodes an image many times: some tenths of a second of work. */
function decode(count: number) {
  const images = placesInMemory(Array<Uint8Array>(count).fill(new Uint8Array(Buffer.from(image, "base64"))));
  return decodeBatch(images, { kind: "central", resize: 256, height: 224, width: 224 }, { threads: 4 });
}

const scenes: Record<string, () => unknown> = {
  /** Ends the process in the middle of decoding. */
  exit() {
    for (let i = 0; i < 4; i++) decode(500);
    setTimeout(() => process.exit(0), 20);
  },
  /** Workers are the first to decode, and are stopped in the middle of it; the main thread decodes then. */
  async terminate() {
    for (let i = 0; i < 2; i++) {
      const worker = new Worker(new URL(import.meta.url), { workerData: ["hold", image] });
      await new Promise((resolve) => worker.once("message", resolve));
      await worker.terminate();
    }
    const { outcomes } = await decode(3);
    console.log(outcomes.map(({ status }) => status).join());
  },
  hold() {
    for (let i = 0; i < 2; i++) decode(200);
    setTimeout(() => parentPort!.postMessage("busy"), 20);
  },
};

await scenes[what]!();
