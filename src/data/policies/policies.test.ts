import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as torch from "../../torch/index.js";
import { augmentInBackground } from "../augment.js";
import { Loader, type LoaderOptions } from "../loader.js";
import { makeSynthetic } from "../sets/synthetic.js";
import { drawOperations, type PolicyChoice, policies, policyOf } from "./index.js";
import { imageOperations, type PolicyOperation, policyOperations } from "./operations.js";

interface Fixture {
  ranges: { wide: boolean; operation: PolicyOperation; signed: boolean; magnitudes: number[] }[];
  images: { shape: [number, number, number]; values: string }[];
  cases: { image: number; operation: PolicyOperation; magnitude: number; result: string }[];
}

const fixture: Fixture = JSON.parse(
  readFileSync(new URL("./fixtures/operations.json", import.meta.url), "utf8"),
);
const bytesOf = (base64: string) => [...Buffer.from(base64, "base64")];
const extent = { height: 24, width: 32 };

/** Applies operations to copies of one image, each row of them to a copy, by `lyceum::augment`, and gives the bytes. */
async function applied(
  shape: readonly number[],
  values: readonly number[],
  rows: readonly (readonly [code: number, magnitude: number])[][],
): Promise<number[][]> {
  const channels = shape[0]!;
  const table = [rows.length, rows[0]!.length];
  const made = await augmentInBackground(
    {
      images: torch.tensor(Uint8Array.from(values), { shape: [1, ...shape] }),
      indices: torch.tensor(new Int32Array(rows.length), { dtype: "int64" }),
      offsets: torch.tensor(new Int32Array(3 * rows.length), { shape: [rows.length, 3] }),
      pad: 0,
      mean: new Array<number>(channels).fill(0),
      std: new Array<number>(channels).fill(1),
    },
    {
      operations: torch.tensor(Int32Array.from(rows.flat().map(([code]) => code)), { shape: table }),
      magnitudes: torch.tensor(Float64Array.from(rows.flat().map(([, m]) => m)), { shape: table }),
    },
  );
  const fractions = [...(made.toTypedArray() as Float32Array)];
  return rows.map((_, b) =>
    fractions.slice(b * values.length, (b + 1) * values.length).map((value) => Math.round(255 * value)),
  );
}

describe("operations", () => {
  it.each(policyOperations)("%s makes PIL's bytes", async (operation) => {
    const code = imageOperations.indexOf(operation);
    let compared = 0;
    for (const [at, { shape, values }] of fixture.images.entries()) {
      const cases = fixture.cases.filter((each) => each.image === at && each.operation === operation);
      if (cases.length === 0) continue;
      const rows = cases.map(({ magnitude }) => [[code, magnitude] as const]);
      const made = await applied(shape, bytesOf(values), rows);
      cases.forEach(({ magnitude, result }, i) => {
        expect(made[i], `${shape} by ${magnitude}`).toEqual(bytesOf(result));
        compared++;
      });
    }
    expect(compared).toBeGreaterThan(2);
  });

  it("follow each other, from left to right", async () => {
    const { shape, values } = fixture.images[0]!;
    const [shear, turn] = [imageOperations.indexOf("shear-x"), imageOperations.indexOf("rotate")];
    const [first] = await applied(shape, bytesOf(values), [[[shear, 0.4]]]);
    const [second] = await applied(shape, first!, [[[turn, 30]]]);
    const rows = [
      [[shear, 0.4] as const, [turn, 30] as const, [0, 0] as const],
      [[turn, 30] as const, [shear, 0.4] as const, [0, 0] as const],
    ];
    const [both, reversed] = await applied(shape, bytesOf(values), rows);
    expect(both).toEqual(second);
    expect(reversed).not.toEqual(second);
  });

  it("are refused where they are none, or would compute numbers that do not fit", async () => {
    const one = (code: number, magnitude: number, channels = 1) =>
      applied([channels, 1, 1], new Array<number>(channels).fill(7), [[[code, magnitude]]]);
    expect(await one(13, 0)).toEqual([[7]]);
    await expect(one(15, 0)).rejects.toThrow("an operation must be 0..14, got 15");
    await expect(one(-1, 0)).rejects.toThrow("an operation must be 0..14, got -1");
    await expect(one(1, Number.NaN)).rejects.toThrow("a magnitude must be a number up to 65536");
    await expect(one(3, -1e300)).rejects.toThrow("a magnitude must be a number up to 65536");
    await expect(one(0, 0, 2)).rejects.toThrow("for images of 1 or 3 channels, got 2");
    for (const [code] of imageOperations.entries())
      for (const magnitude of [65536, -65536]) expect((await one(code, magnitude, 3))[0]!.length).toBe(3);
  });
});

describe("policies", () => {
  it.each([
    ["randaugment", false],
    ["trivialaugment", true],
  ])("%s has torchvision's magnitudes", (name, ofWide) => {
    const { space } = policyOf({ name }).policy;
    const ranges = fixture.ranges.filter(({ wide }) => wide === ofWide);
    expect(ranges.map(({ operation }) => operation)).toEqual([...policyOperations]);
    for (const { operation, signed, magnitudes } of ranges) {
      expect(space[operation].signed).toBe(signed);
      magnitudes.forEach((expected, level) => {
        const magnitude = space[operation].at(level, extent);
        // torch.linspace rounds to float32, in a few steps.
        expect(Math.abs(magnitude - expected)).toBeLessThanOrEqual(
          4 * 2 ** -24 * Math.abs(magnitudes.at(-1)! || 255),
        );
        if (operation.startsWith("translate")) expect(Math.trunc(magnitude)).toBe(Math.trunc(expected));
      });
    }
  });

  const many = Int32Array.from({ length: 5600 }, (_, i) => i);

  it.each([
    [{ name: "randaugment" }, 2],
    [{ name: "randaugment", operations: 3, magnitude: 30 }, 3],
    [{ name: "trivialaugment" }, 1],
  ])(
    "draws depend on seed, epoch and index alone, each operation as often as the others: %j",
    (choice, count) => {
      const policy = policyOf(choice);
      const drawn = drawOperations(many, policy, extent, 3, 2);
      expect(drawn.count).toBe(count);
      const one = drawOperations(Int32Array.of(9), policy, extent, 3, 2);
      expect(drawn.operations.subarray(9 * count, 10 * count)).toEqual(one.operations);
      expect(drawn.magnitudes.subarray(9 * count, 10 * count)).toEqual(one.magnitudes);
      expect(drawn.operations).not.toEqual(drawOperations(many, policy, extent, 3, 1).operations);
      expect(drawn.operations).not.toEqual(drawOperations(many, policy, extent, 2, 2).operations);
      const counts = policyOperations.map(
        (_, code) => drawn.operations.filter((each) => each === code).length,
      );
      // 400 of each are expected for each place; the standard deviation is 19.3 times the root of the places.
      for (const n of counts) expect(Math.abs(n - 400 * count)).toBeLessThan(4 * 19.3 * Math.sqrt(count));
      const signed = drawn.magnitudes.filter(
        (_, i) => drawn.operations[i] === imageOperations.indexOf("rotate"),
      );
      const negative = signed.filter((magnitude) => magnitude < 0).length / signed.length;
      expect(Math.abs(negative - 0.5)).toBeLessThan(0.12);
    },
  );

  it("of randaugment have one strength, those of trivialaugment all", () => {
    const strengths = (choice: PolicyChoice) => {
      const { operations, magnitudes } = drawOperations(many, policyOf(choice), extent, 0, 0);
      const code = imageOperations.indexOf("shear-x");
      return new Set(
        [...magnitudes].filter((_, i) => operations[i] === code).map((m) => Math.abs(m).toFixed(6)),
      );
    };
    expect([...strengths({ name: "randaugment", magnitude: 10 })]).toEqual(["0.100000"]);
    expect(strengths({ name: "trivialaugment" }).size).toBe(31);
  });

  it.each([
    [{ name: "autoaugment" }, 'there is no policy "autoaugment"; known: randaugment, trivialaugment'],
    [{ name: "randaugment", magnitude: 31 }, "policy randaugment.magnitude: "],
    [{ name: "trivialaugment", magnitude: 3 }, "policy trivialaugment: "],
  ])("refuse %j", (choice, message) => {
    expect(() => policyOf(choice)).toThrow(message);
  });
});

describe("a loader with a policy", () => {
  const set = (channels: 1 | 3) =>
    makeSynthetic({ classes: 5, size: 8, channels, trainCount: 20, testCount: 5 }).train;
  const load = (channels: 1 | 3, changes: Partial<LoaderOptions> = {}) =>
    new Loader(set(channels), {
      mean: new Array<number>(channels).fill(0.5),
      std: new Array<number>(channels).fill(0.2),
      batchSize: 8,
      shuffle: true,
      augment: { crop: 2, flip: true, policy: { name: "randaugment" } },
      ...changes,
    });
  async function collect(loader: Loader, startStep = 0) {
    const seen: Float32Array[] = [];
    for await (const batch of loader.epoch(1, { startStep })) {
      seen.push(batch.images.toTypedArray() as Float32Array);
      batch.dispose();
    }
    return seen;
  }

  it.each([1, 3] as const)(
    "changes images of %i channels before crop and flip, the same from whatever step",
    async (channels) => {
      const changed = await collect(load(channels));
      expect(await collect(load(channels), 1)).toEqual(changed.slice(1));
      const together = await collect(load(channels, { batchSize: 20 }));
      expect(together[0]!.subarray(0, changed[0]!.length)).toEqual(changed[0]);
      const plain = await collect(load(channels, { augment: { crop: 2, flip: true } }));
      changed.forEach((batch, step) => {
        expect(batch).not.toEqual(plain[step]);
      });
      // Black that comes from the crop is put around the changed image, and so stays where it is.
      const identity = { crop: 2, flip: true, policy: { name: "randaugment", operations: 1, magnitude: 0 } };
      const [none] = await collect(load(channels, { augment: identity }));
      const black = Math.fround(-0.5) / 0.2;
      const places = (values: Float32Array) => [...values.keys()].filter((i) => values[i]! < black + 1e-5);
      const [before, after] = [places(plain[0]!), new Set(places(none!))];
      expect(before.length).toBeGreaterThan(0);
      expect(before.filter((place) => !after.has(place)).length / before.length).toBeLessThan(0.1);
    },
  );

  it("refuses what it cannot change, and to make its batches elsewhere than on the CPU", () => {
    expect(() => load(3, { resident: true })).toThrow("made on the CPU, leave `resident` out");
    const two = { ...set(1), images: new Uint8Array(20 * 2 * 64), channels: 2 };
    const policy = { name: "trivialaugment" };
    expect(
      () =>
        new Loader(two, {
          mean: [0, 0],
          std: [1, 1],
          batchSize: 4,
          augment: { crop: 0, flip: false, policy },
        }),
    ).toThrow("a policy changes images of 1 or 3 channels, these have 2");
  });
});

it("each policy has a name and a summary of its own", () => {
  expect(new Set(policies.map(({ name }) => name)).size).toBe(policies.length);
  for (const { name, summary } of policies) {
    expect(name).toMatch(/^[a-z]+$/);
    expect(summary).toMatch(/\(.+ 20\d\d\)\.$/);
  }
});
