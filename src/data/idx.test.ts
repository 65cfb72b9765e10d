import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { idxFile, sourceOf } from "./fixtures/files.js";
import { readIdx, readIdxLabels } from "./idx.js";

const chunkSizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

describe("readIdx", () => {
  it("reads what was written, however it arrives", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), chunkSizes, async (elements, sizes) => {
        const into = new Uint8Array(elements.length);
        await readIdx(
          sourceOf(idxFile([1, elements.length, 1], elements), sizes),
          [1, elements.length, 1],
          into,
        );
        expect(into).toEqual(elements);
      }),
    );
  });

  const file = idxFile([2, 3, 1], Uint8Array.of(1, 2, 3, 4, 5, 6));
  const reading = (bytes: Uint8Array, sizes?: number[]) =>
    readIdx(sourceOf(bytes, sizes), [2, 3, 1], new Uint8Array(6));

  it("names the file, the byte and the remedy of whatever is wrong", async () => {
    const wrongMagic = Buffer.from(file);
    wrongMagic[3] = 1;
    await expect(reading(wrongMagic)).rejects.toThrow(
      "some-file, byte 0: magic number 0x00000801, expected 0x00000803. Get it again",
    );
    await expect(reading(idxFile([2, 4, 1], new Uint8Array(8)))).rejects.toThrow(
      "some-file, byte 8: dimension 1 is 4, expected 3. Get it again",
    );
    for (const sizes of [[1], [100]]) {
      await expect(reading(file.subarray(0, 20), sizes)).rejects.toThrow(
        "some-file, byte 20: ends here, but must have 22 bytes. Get it again",
      );
      await expect(reading(Buffer.concat([file, Buffer.of(0)]), sizes)).rejects.toThrow(
        "some-file, byte 22: goes on after the expected 22 bytes. Get it again",
      );
    }
    await expect(reading(Buffer.alloc(0))).rejects.toThrow("some-file, byte 0: ends here");
  });

  it("reads labels and refuses those out of range", async () => {
    const labels = idxFile([4], Uint8Array.of(0, 9, 3, 3));
    expect(await readIdxLabels(sourceOf(labels), 4, 10)).toEqual(Int32Array.of(0, 9, 3, 3));
    await expect(readIdxLabels(sourceOf(labels), 4, 9)).rejects.toThrow("byte 9: label 9, expected 0..8");
  });
});
