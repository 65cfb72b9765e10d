import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { readMatlabStructures } from "./matlab.js";

// Made by SciPy: fixtures/make-meta.py.
const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url));

it.each(["meta.mat", "meta-plain.mat"])("reads the structures of %s", (name) => {
  const structures = readMatlabStructures(fixture(name));
  expect(structures).toHaveLength(5);
  expect(structures[0]).toMatchObject({
    ILSVRC2012_ID: 1,
    WNID: "n02119789",
    words: "kit fox, Vulpes macrotis",
  });
  expect(structures[2]).toMatchObject({ WNID: "n01440764", num_children: 0, num_train_images: 1300 });
  expect(structures.map(({ ILSVRC2012_ID }) => ILSVRC2012_ID)).toEqual([1, 2, 3, 300, 1001]);
});

it.each([
  ["", "is no MATLAB file"],
  ["MATLAB 5.0 MAT-file".padEnd(126).concat("IM"), "holds no array of structures"],
])("refuses what is none: %j", (text, message) => {
  expect(() => readMatlabStructures(Buffer.from(text, "latin1"))).toThrow(message);
});

it("answers damage by an error, wherever it is", () => {
  const whole = fixture("meta-plain.mat");
  const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(changes, fc.nat(whole.length), (changed, length) => {
      const file = Buffer.from(whole.subarray(0, length));
      for (const [at, byte] of changed) if (at < length) file[at] = byte;
      try {
        readMatlabStructures(file);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
    { numRuns: 300 },
  );
});
