import { Agent } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { torch } from "lyceum";
import sharp from "sharp";
import { expect, it } from "vitest";
import { imageServer } from "./server.js";
import { listening, send, smallModel } from "./testing.js";

const WARM_UP = 1000;
const REQUESTS = 5000;
const AT_ONCE = 8;
/**
 * The growth that is allowed. Each request makes the floats of an image, 12 KiB: were they kept, 5,000
 * requests would take 59 MiB.
 */
const MOST_MIB = 16;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Gives the memory of the process, in MiB, after all garbage was collected. */
function resident(): number {
  for (let i = 0; i < 3; i++) collect();
  return process.memoryUsage.rss() / 2 ** 20;
}

it("answers 5,000 uploads in flat memory", { timeout: 600_000 }, async () => {
  const model = await smallModel();
  const server = await listening(imageServer(model));
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const uploads = await Promise.all(
    (["png", "jpeg", "webp", "gif", "tiff"] as const).map((format, i) => {
      const [width, height] = [120 + 60 * i, 300 - 40 * i];
      const noise = Uint8Array.from({ length: 3 * width * height }, (_, at) => (at * at * 7919) % 251);
      return sharp(noise, { raw: { width, height, channels: 3 } })
        .toFormat(format)
        .toBuffer();
    }),
  );
  const refused = [Buffer.from("no image"), uploads[0]!.subarray(0, uploads[0]!.length / 2)];
  const serve = async (count: number) => {
    let next = 0;
    let answered = 0;
    const client = async () => {
      for (let i = next++; i < count; i = next++) {
        // One request in ten holds no image, or half of one.
        const bad = i % 10 === 9;
        const body = bad ? refused[(i >> 4) % 2]! : uploads[i % uploads.length]!;
        const { status } = await send(server, body, { agent });
        expect(status).toBe(bad ? 415 : 200);
        answered++;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, client));
    expect(answered).toBe(count);
  };

  await serve(WARM_UP);
  const before = resident();
  const tensors = torch.memoryStats().tensors;
  await serve(REQUESTS);
  const after = resident();
  console.log(
    `resident: ${before.toFixed(1)} MiB after ${WARM_UP} requests, ${after.toFixed(1)} after ${REQUESTS} more`,
  );
  expect(torch.memoryStats().tensors).toBeLessThanOrEqual(tensors);
  expect(after - before).toBeLessThan(MOST_MIB);
  agent.destroy();
  server.close();
  model.dispose();
});
