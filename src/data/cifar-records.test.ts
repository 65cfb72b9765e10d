import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cifarImageBytes, readCifarRecords } from "./cifar-records.js";
import { sourceOf } from "./fixtures/files.js";

/** Makes records with two label bytes; image i is filled with its number, and its first byte is marked. */
function records(count: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, i) => {
      const record = Buffer.alloc(2 + cifarImageBytes, i + 1);
      record[0] = i % 20;
      record[1] = (7 * i) % 100;
      record[2] = 200;
      return record;
    }),
  );
}

const room = (count: number) => ({
  images: new Uint8Array(count * cifarImageBytes),
  labels: [new Int32Array(count), new Int32Array(count)],
});

describe("readCifarRecords", () => {
  it("takes records apart, however they arrive", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 7000 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), sizes, async (count, chunkSizes) => {
        const into = room(count);
        await readCifarRecords(sourceOf(records(count), chunkSizes), [20, 100], into);
        expect([...into.labels[0]!]).toEqual(Array.from({ length: count }, (_, i) => i % 20));
        expect([...into.labels[1]!]).toEqual(Array.from({ length: count }, (_, i) => (7 * i) % 100));
        for (let i = 0; i < count; i++) {
          const image = into.images.subarray(i * cifarImageBytes, (i + 1) * cifarImageBytes);
          expect(image[0]).toBe(200);
          expect(image.subarray(1).every((value) => value === i + 1)).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("names the byte of a label out of range, and of a wrong end", async () => {
    const bytes = records(3);
    const reading = (data: Uint8Array) => readCifarRecords(sourceOf(data, [5000]), [20, 100], room(3));
    await expect(reading(bytes.subarray(0, 9000))).rejects.toThrow(
      "byte 9000: ends here, but must have 9222 bytes",
    );
    await expect(reading(records(4))).rejects.toThrow("byte 9222: goes on after the expected 9222 bytes");
    bytes[3074 + 1] = 100;
    await expect(reading(bytes)).rejects.toThrow(
      "some-file, byte 3075: label 100 of image 1, expected 0..99",
    );
  });
});
