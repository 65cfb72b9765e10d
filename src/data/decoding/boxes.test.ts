import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hasJpeg, randomBoxes } from "../../nn/cpu/index.js";
import * as torch from "../../torch/index.js";
import { boxKeys, decodeBatch, placesInMemory } from "./index.js";

interface Fixture {
  images: Record<string, string>;
  boxes: {
    scale: [number, number];
    ratio: [number, number];
    draws: number;
    bins: number;
    sizes: { width: number; height: number; fallback: number; histograms: number[][] }[];
  };
}
const { images, boxes }: Fixture = JSON.parse(
  readFileSync(new URL("./fixtures/views.json", import.meta.url), "utf8"),
);
const { scale, ratio, draws, bins } = boxes;

/** Draws a box by each key for images of one size. @returns [top, left, height, width] of each */
function draw(keys: BigInt64Array, height: number, width: number, range = { scale, ratio }): number[][] {
  return torch.scope(() => {
    const sizes = Int32Array.from({ length: 2 * keys.length }, (_, i) => (i % 2 === 0 ? height : width));
    const shape = [keys.length, 2];
    const drawn = randomBoxes(torch.tensor(keys), torch.tensor(sizes, { shape, dtype: "int64" }), range);
    return drawn.tolist() as number[][];
  });
}

const indices = Int32Array.from({ length: draws }, (_, i) => i);
const keys = boxKeys(indices, 5, 3);

describe.each(boxes.sizes)(
  "boxes of images of $width x $height",
  ({ width, height, fallback, histograms }) => {
    const drawn = draw(keys, height, width);

    it("lie inside", () => {
      const outside = (drawn as [number, number, number, number][]).filter(
        ([top, left, tall, wide]) =>
          top < 0 || left < 0 || tall < 1 || wide < 1 || top + tall > height || left + wide > width,
      );
      expect(outside).toEqual([]);
    });

    it("are distributed as torchvision's", () => {
      const found = histograms.map(() => new Array<number>(bins).fill(0));
      let central = 0;
      const shape =
        width / height < ratio[0]
          ? [Math.round(width / ratio[0]), width]
          : [height, Math.round(height * ratio[1])];
      for (const [top, left, tall, wide] of drawn as [number, number, number, number][]) {
        if (tall === shape[0] && wide === shape[1]) central++;
        const fractions = [
          (wide * tall) / (width * height),
          Math.log(wide / tall / 0.7) / Math.log(1.4 / 0.7),
          (top + tall / 2) / height,
          (left + wide / 2) / width,
        ];
        fractions.forEach((fraction, i) => {
          found[i]![Math.min(bins - 1, Math.max(0, Math.floor(fraction * bins)))]!++;
        });
      }
      // Two samples of one distribution: the sum of (a - b)^2 / (a + b) over bins is chi-squared with fewer degrees of freedom
      // than bins, whose mean is that and whose variance twice that.
      const distance = (a: number[], b: number[]) =>
        a.reduce((sum, n, i) => (n + b[i]! > 0 ? sum + (n - b[i]!) ** 2 / (n + b[i]!) : sum), 0);
      histograms.forEach((expected, i) => {
        expect(distance(found[i]!, expected), `histogram ${i}: ${found[i]}`).toBeLessThan(
          bins + 4.5 * Math.sqrt(2 * bins),
        );
      });
      expect(distance([central, draws - central], [fallback, draws - fallback])).toBeLessThan(2 + 4.5 * 2);
    });
  },
);

it("depends on seed, epoch and image", () => {
  const of = (seed: number, epoch: number) => draw(boxKeys(indices.subarray(0, 50), seed, epoch), 300, 400);
  expect(of(5, 3)).toEqual(draw(keys.subarray(0, 50), 300, 400));
  expect(of(4, 3)).not.toEqual(of(5, 3));
  expect(of(5, 2)).not.toEqual(of(5, 3));
  expect(new Set(of(5, 3).map(String)).size).toBe(50);
});

it.each([
  ["three times as high as wide", 300, 100, [83, 0, 133, 100]],
  ["three times as wide as high", 100, 300, [0, 83, 100, 133]],
  ["of an allowed shape", 100, 110, [0, 0, 100, 110]],
] as const)(
  "is the largest in the middle where ten attempts fail, of an image %s",
  (_, height, width, box) => {
    // No box of all of the area fits, unless it has the image's very shape.
    const whole = { scale: [1, 1], ratio: [3 / 4, 4 / 3] } as const;
    const fits = ([top, left, tall, wide]: number[]) => `${[top, left, tall, wide]}` === `${box}`;
    expect(draw(keys.subarray(0, 100), height, width, whole as never).filter(fits).length).toBeGreaterThan(
      90,
    );
  },
);

it("refuses what is out of range", () => {
  const one = BigInt64Array.of(1n);
  expect(() => draw(one, 0, 5)).toThrow("sizes must be 1..");
  expect(() => draw(one, 5, 5, { scale: [0.5, 1.5], ratio })).toThrow("scale must be two fractions");
  expect(() => draw(one, 5, 5, { scale, ratio: [0, 1] })).toThrow("ratio must be two numbers above 0");
});

const whole = [
  "jpeg 420",
  "jpeg 422",
  "jpeg 444",
  "jpeg, grey",
  "jpeg, progressive",
  "jpeg, orientation 6",
  "jpeg 420, large",
];
describe.runIf(hasJpeg()).each(whole)("a box of %s", (name) => {
  it("has the pixels that decoding the whole image gives", async () => {
    const bytes = new Uint8Array(Buffer.from(images[name]!, "base64"));
    const one = placesInMemory([bytes]);
    const probe = await decodeBatch(one, { kind: "central", resize: 1, height: 1, width: 1 });
    const { height, width } = probe.outcomes[0]!;
    const size = { resize: Math.min(height, width), height, width };
    const { pixels } = await decodeBatch(one, { kind: "central", ...size });
    const some = keys.subarray(0, 40);
    const found = draw(some, height, width) as [number, number, number, number][];
    for (const [i, [top, left, tall, wide]] of found.entries()) {
      // A view of the box's own size changes no pixel.
      const view = { kind: "random", height: tall, width: wide, scale, ratio } as const;
      const cropped = await decodeBatch(one, view, { keys: some.subarray(i, i + 1) });
      const expected = pixels.narrow(2, top, tall).narrow(3, left, wide);
      expect(torch.op("aten::equal", cropped.pixels, expected), `${found[i]}`).toBe(true);
      expect(cropped.outcomes[0]!.box).toEqual({ top, left, height: tall, width: wide });
    }
  });
});

it("are whole images where ratios are beyond all measure, as no number of their sides fits", () => {
  const [height, width] = [5, 7];
  const range = { scale: [0.5, 1] as [number, number], ratio: [1e-300, 1e300] as [number, number] };
  const drawn = draw(keys.subarray(0, 8), height, width, range);
  expect(drawn).toEqual(Array(8).fill([0, 0, height, width]));
});
