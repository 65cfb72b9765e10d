import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { decodeImages } from "../../nn/cpu/index.js";
import * as torch from "../../torch/index.js";
import { outcomeNumbers, statusCodes } from "./outcome.js";
import { viewArguments } from "./view.js";

const fixture = JSON.parse(readFileSync(new URL("./fixtures/views.json", import.meta.url), "utf8"));
const image = Buffer.from(Object.values(fixture.images as Record<string, string>)[0]!, "base64");
const folder = mkdtempSync(join(tmpdir(), "lyceum-places-"));
const file = join(folder, "image");
writeFileSync(file, image);
afterAll(() => rmSync(folder, { recursive: true }));

const number = fc.oneof(
  fc.bigInt({ min: -2n, max: BigInt(image.length + 2) }),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 62n, -1n, 0n, BigInt(image.length)),
);
const path = fc.oneof(
  fc.constantFrom(`${file}\0`, `${file}`, "/dev/zero\0", `${folder}\0`, "\0", ""),
  fc.string({ maxLength: 5 }),
);

it("answers any numbers as places with an error or an outcome", async () => {
  const seen = new Set<string>();
  const one = async (paths: string, places: bigint[], inMemory: boolean) => {
    const given = {
      paths: torch.tensor(new Uint8Array(Buffer.from(paths))),
      places: torch.tensor(BigInt64Array.from(places), { shape: [1, places.length] }),
      bytes: inMemory ? torch.tensor(new Uint8Array(image)) : undefined,
      keys: undefined,
      view: viewArguments({ kind: "central", resize: 4, height: 4, width: 4 }),
      maxPixels: 2 ** 20,
      threads: 1,
    };
    try {
      const [pixels, outcomes] = await decodeImages(given);
      const numbers = outcomes.toTypedArray() as BigInt64Array;
      expect(numbers.length).toBe(outcomeNumbers);
      const status = statusCodes[Number(numbers[0])]!;
      seen.add(status);
      if (status !== "ok")
        expect((pixels.toTypedArray() as Uint8Array).every((pixel) => pixel === 0)).toBe(true);
    } catch (error) {
      expect(String(error)).toMatch(/decode_images: /);
      seen.add("error");
    }
  };
  const places = fc.oneof(
    { weight: 9, arbitrary: fc.tuple(number, number, number, number, number) },
    { weight: 3, arbitrary: fc.tuple(fc.constant(0n), number, number, fc.constant(-1n), fc.constant(-1n)) },
    { weight: 1, arbitrary: fc.array(number, { maxLength: 6 }) },
  );
  await fc.assert(fc.asyncProperty(path, places, fc.boolean(), one), { numRuns: 400 });
  await one(`${file}\0`, [0n, 0n, -1n, -1n, -1n], false);
  for (const expected of ["ok", "error"]) expect(seen).toContain(expected);
});
