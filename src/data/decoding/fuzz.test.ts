import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { decodeImages, hasJpeg } from "../../nn/cpu/index.js";
import * as torch from "../../torch/index.js";
import { RandomSequence } from "../random.js";
import { outcomeNumbers, statusCodes } from "./outcome.js";
import { placeNumbers, placesInMemory } from "./places.js";
import { type View, viewArguments } from "./view.js";

const fixture = JSON.parse(readFileSync(new URL("./fixtures/views.json", import.meta.url), "utf8"));
const whole = Object.values(fixture.images as Record<string, string>).map((base64) =>
  Buffer.from(base64, "base64"),
);

/** Damages a copy of a file in one of some ways, more often near its beginning. */
function mutant(random: RandomSequence): Uint8Array {
  let bytes = Buffer.from(whole[random.below(whole.length)]!);
  const way = random.below(6);
  const times = way === 0 ? 1 : 1 + random.below(8);
  for (let i = 0; i < times; i++) {
    const at = random.below(random.below(2) === 0 ? bytes.length : Math.min(bytes.length, 700));
    const length = random.below(64);
    if (way === 0) bytes = bytes.subarray(0, at);
    else if (way === 1) bytes[at]! ^= 1 << random.below(8);
    else if (way === 2) bytes[at] = random.below(256);
    else if (way === 3) bytes[at] = 0xff;
    else if (way === 4)
      bytes = Buffer.concat([
        bytes.subarray(0, at),
        bytes.subarray(at >> 1, (at >> 1) + length),
        bytes.subarray(at),
      ]);
    else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    if (bytes.length === 0) break;
  }
  return new Uint8Array(bytes);
}

/** Decodes by the native operator alone. */
async function decode(files: Uint8Array[], view: View, keys: BigInt64Array | undefined, threads: number) {
  const { paths, places, bytes } = placesInMemory(files);
  const [pixels, outcomes] = await decodeImages({
    paths: torch.tensor(paths),
    places: torch.tensor(places, { shape: [files.length, placeNumbers] }),
    bytes: torch.tensor(bytes!),
    keys: keys && torch.tensor(keys),
    view: viewArguments(view),
    maxPixels: 2 ** 20,
    threads,
  });
  const found = pixels.toTypedArray() as Uint8Array;
  const told = outcomes.toTypedArray() as BigInt64Array;
  pixels.dispose();
  outcomes.dispose();
  return {
    pixels: Buffer.from(found.buffer),
    statuses: files.map((_, i) => Number(told[outcomeNumbers * i])),
  };
}

it.runIf(hasJpeg())(
  "files that are damaged in thousands of ways have an outcome, and the same pixels each time",
  async () => {
    const random = new RandomSequence(20);
    const files = Array.from({ length: 1500 }, () => mutant(random));
    const keys = BigInt64Array.from(files, () => BigInt(random.uint32()));
    const seen = new Set<string>();
    for (const view of [
      { kind: "random", height: 13, width: 24 },
      { kind: "central", resize: 20, height: 24, width: 13 },
    ] as const) {
      const own = view.kind === "random" ? keys : undefined;
      const first = await decode(files, view, own, 4);
      const again = await decode(files, view, own, 1);
      expect(again.statuses).toEqual(first.statuses);
      expect(again.pixels.equals(first.pixels)).toBe(true);
      const size = 3 * view.height * view.width;
      const zeros = Buffer.alloc(size);
      first.statuses.forEach((code, i) => {
        const status = statusCodes[code]!;
        seen.add(status);
        if (status !== "ok" && !first.pixels.subarray(i * size, (i + 1) * size).equals(zeros))
          throw new Error(`file ${i}, ${status}, has pixels`);
      });
    }
    for (const status of ["ok", "other", "truncated", "corrupt"]) expect([...seen]).toContain(status);
  },
);
