import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { ImageSet } from "../image-set.js";
import { drawSynthetic, makeSynthetic, synthetic } from "./synthetic.js";

const pixelsOf = (set: ImageSet, i: number) => {
  const bytes = set.channels * set.height * set.width;
  return set.images.subarray(i * bytes, (i + 1) * bytes);
};

/** Of each test image, the label of the training image it is most like, contrast and brightness set aside. */
function nearestNeighbours(train: ImageSet, test: ImageSet): number[] {
  const features = (set: ImageSet) =>
    Array.from({ length: set.count }, (_, i) => {
      const image = Float64Array.from(pixelsOf(set, i));
      const mean = image.reduce((sum, v) => sum + v, 0) / image.length;
      const norm = Math.sqrt(image.reduce((sum, v) => sum + (v - mean) ** 2, 0));
      return image.map((v) => (v - mean) / norm);
    });
  const correlation = (a: Float64Array, b: Float64Array) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
    return sum;
  };
  const known = features(train);
  return features(test).map((image) => {
    // The sign of the contrast is a matter of chance, so the size of the correlation counts.
    const likeness = known.map((other) => Math.abs(correlation(image, other)));
    return train.labels[likeness.indexOf(Math.max(...likeness))]!;
  });
}

/** Lets each look at the clock find it a millisecond later, as if an image took so long. */
function slowClock(): void {
  let now = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now++);
  onTestFinished(() => clock.mockRestore());
}

describe("the synthetic set", () => {
  it("has the shape that was asked for, balanced classes and names without a repeat", () => {
    const options = fc.record({
      classes: fc.integer({ min: 2, max: 1000 }),
      size: fc.integer({ min: 8, max: 20 }),
      channels: fc.constantFrom(1 as const, 3 as const),
      trainCount: fc.integer({ min: 1, max: 60 }),
      testCount: fc.integer({ min: 1, max: 20 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(options, (given) => {
        const { train, test, classNames } = makeSynthetic(given);
        expect(new Set(classNames).size).toBe(given.classes);
        expect([train.count, test.count]).toEqual([given.trainCount, given.testCount]);
        expect(train.images.length).toBe(given.trainCount * given.channels * given.size ** 2);
        expect([...train.labels]).toEqual(
          Array.from({ length: given.trainCount }, (_, i) => i % given.classes),
        );
      }),
      { numRuns: 30 },
    );
  });

  it("is decided by its seed, image by image", () => {
    const options = { size: 8, trainCount: 30, testCount: 10 };
    const { train, test } = makeSynthetic({ ...options, seed: 4 });
    expect(makeSynthetic({ ...options, seed: 4 }).train.images).toEqual(train.images);
    expect(makeSynthetic({ ...options, seed: 5 }).train.images).not.toEqual(train.images);
    expect(
      makeSynthetic({ ...options, trainCount: 50, seed: 4 }).train.images.slice(0, train.images.length),
    ).toEqual(train.images.slice());
    expect(pixelsOf(test, 0)).not.toEqual(pixelsOf(train, 0));
  });

  it("lets timers and signals come through while it is drawn, and says how far it is", async () => {
    const options = { size: 8, trainCount: 400, testCount: 100, seed: 2 };
    slowClock();
    const seen: number[] = [];
    let turns = 0;
    const turn = () => {
      turns++;
      next = setImmediate(turn);
    };
    let next = setImmediate(turn);
    const drawn = await drawSynthetic(options, {
      onProgress: ({ done, total }) => {
        expect(total).toBe(500);
        seen.push(done);
      },
    });
    clearImmediate(next);
    const atOnce = makeSynthetic(options);
    expect(Buffer.compare(drawn.train.images, atOnce.train.images)).toBe(0);
    expect(Buffer.compare(drawn.test.images, atOnce.test.images)).toBe(0);
    expect([drawn.train.labels, drawn.classNames]).toEqual([atOnce.train.labels, atOnce.classNames]);
    // After 25 ms, which by this clock are 25 images.
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => 25 * (i + 1)));
    expect(turns).toBeGreaterThanOrEqual(20);
  });

  it("is given up when the signal says so, before it begins and while it is drawn", async () => {
    const gone = AbortSignal.abort(new Error("gone before"));
    await expect(drawSynthetic({ size: 8 }, { signal: gone })).rejects.toThrow("gone before");
    const stop = new AbortController();
    slowClock();
    const seen: number[] = [];
    const onProgress = ({ done }: { done: number }) => {
      seen.push(done);
      if (done >= 50) stop.abort(new Error("enough"));
    };
    const drawing = drawSynthetic({ size: 8, trainCount: 200 }, { signal: stop.signal, onProgress });
    await expect(drawing).rejects.toThrow("enough");
    expect(seen).toEqual([25, 50]);
  });

  it("counts its classes before it is drawn", () => {
    for (const spec of [{}, { classes: 12 }, { classes: 12, labels: "coarse" as const }]) {
      const { classNames } = makeSynthetic({ ...spec, size: 8, trainCount: 1, testCount: 1 });
      expect(synthetic.classCount!({ name: "synthetic", ...spec })).toBe(classNames.length);
    }
  });

  it("labels families when asked", () => {
    const fine = makeSynthetic({ classes: 12, size: 8, trainCount: 24, testCount: 2 });
    const coarse = makeSynthetic({ classes: 12, size: 8, trainCount: 24, testCount: 2, labels: "coarse" });
    expect(coarse.train.images).toEqual(fine.train.images);
    expect(coarse.classNames).toEqual(["disc", "triangle", "square"]);
    expect([...coarse.train.labels]).toEqual([...fine.train.labels].map((label) => Math.floor(label / 5)));
    expect(fine.classNames[7]).toBe("hollow triangle");
  });

  it("can be learnt, not trivially, and is mistaken within a family before across families", () => {
    const { train, test } = makeSynthetic({
      classes: 20,
      size: 16,
      channels: 1,
      trainCount: 1200,
      testCount: 400,
    });
    const guesses = nearestNeighbours(train, test);
    let right = 0;
    let withinFamily = 0;
    guesses.forEach((guess, i) => {
      const truth = test.labels[i]!;
      if (guess === truth) right++;
      else if (Math.floor(guess / 5) === Math.floor(truth / 5)) withinFamily++;
    });
    // Chance would be 0.05 right, and 4 of 19 mistakes within the family.
    expect(right / test.count).toBeGreaterThan(0.2);
    expect(right / test.count).toBeLessThan(0.9);
    expect(withinFamily / (test.count - right)).toBeGreaterThan(2 * (4 / 19));
  });

  it.each([
    [{ classes: 1 }, "classes must be an integer in 2..1000, got 1"],
    [{ size: 7 }, "size must be an integer in 8..256, got 7"],
    [{ channels: 2 as 3 }, "channels must be 1 or 3, got 2"],
    [{ trainCount: 0 }, "trainCount must be"],
    [{ noise: -1 }, "noise must be between 0 and 1"],
  ])("refuses %j", (options, message) => {
    expect(() => makeSynthetic(options)).toThrow(message);
  });
});
