import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ImageSet, isStored } from "../data/index.js";
import { inputOf, loadTransferData, type Trained, withChannels } from "./transfer-data.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-transfer-data-"));
afterAll(() => rmSync(root, { recursive: true }));
beforeAll(async () => {
  for (const [label, name] of ["ant", "bee"].entries())
    for (const part of ["train", "val"]) {
      mkdirSync(join(root, part, name), { recursive: true });
      for (let i = 0; i < 2; i++) {
        const background = { r: 50 + 40 * i, g: 120 * label, b: 200 };
        const image = sharp({ create: { width: 24, height: 16, channels: 3, background } });
        writeFileSync(join(root, part, name, `${i}.png`), await image.png().toBuffer());
      }
    }
});

const colour: Trained = { channels: 3, height: 12, width: 12, mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] };
const grey: Trained = { channels: 1, height: 12, width: 12, mean: [0.5], std: [0.25] };

async function firstBatch(set: Parameters<typeof inputOf>[0], trained: Trained) {
  using input = inputOf(set, trained);
  const { value } = await input.loader.epoch(0).next();
  return (input.prepare ?? ((images) => images))(value!.images);
}

describe("a folder of photographs", () => {
  it("is taken in the size of the training, and normalised as that", async () => {
    const { dataset, spec, notes } = await loadTransferData({ folder: root }, colour);
    expect(spec).toMatchObject({ name: "folder", size: 12 });
    expect(notes).toEqual([]);
    const images = await firstBatch(dataset.train, colour);
    expect(images.shape).toEqual([4, 3, 12, 12]);
    // The first image is the colour 50, 0, 200.
    const [r, g, b] = [0, 1, 2].map((c) => images.select(0, 0).select(0, c).mean().item());
    expect(r).toBeCloseTo((50 / 255 - 0.5) / 0.2, 3);
    expect(g).toBeCloseTo((0 - 0.4) / 0.3, 3);
    expect(b).toBeCloseTo((200 / 255 - 0.3) / 0.4, 3);
  });

  it("becomes grey for a network that was trained on grey", async () => {
    const { dataset, notes } = await loadTransferData({ folder: root }, grey);
    expect(notes).toEqual([
      "the images have colours, the network was trained on grey: they are made grey by their luminance",
    ]);
    expect(isStored(dataset.train)).toBe(true);
    const images = await firstBatch(dataset.train, grey);
    expect(images.shape).toEqual([4, 1, 12, 12]);
    const luminance = Math.round(0.299 * 50 + 0.114 * 200);
    expect(images.select(0, 0).mean().item()).toBeCloseTo((luminance / 255 - 0.5) / 0.25, 4);
  });

  it("is taken in another size on request, which is told", async () => {
    const { dataset, notes } = await loadTransferData({ folder: root, size: 16 }, colour);
    expect(dataset.train).toMatchObject({ height: 16, width: 16 });
    expect(notes[0]).toContain("the images have 16 x 16 pixels, the network was trained on 12 x 12");
  });
});

describe("channels of images in memory", () => {
  const set = (channels: number, images: number[]): ImageSet => ({
    ...{ name: "mine", channels, height: 1, width: 2, count: images.length / channels / 2 },
    ...{ images: Uint8Array.from(images), labels: new Int32Array(images.length / channels / 2) },
    classNames: ["a", "b"],
  });

  it("become those of the network: grey by repetition, colours by Pillow's luminance", () => {
    expect([...withChannels(set(1, [1, 2, 3, 4]), 3).images]).toEqual([1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4]);
    // Image.fromarray(…).convert("L") in Pillow 9.4: 255, 0, 0 is 76; 10, 200, 30 is 124.
    expect([...withChannels(set(3, [255, 10, 0, 200, 0, 30]), 1).images]).toEqual([76, 124]);
    const same = set(3, [1, 2, 3, 4, 5, 6]);
    expect(withChannels(same, 3)).toBe(same);
  });

  it("that nothing is known of are refused", () => {
    expect(() => withChannels(set(4, [1, 2, 3, 4, 5, 6, 7, 8]), 3)).toThrow(
      "have 4 channels, the network takes 3",
    );
  });
});

it("what the data say is checked as in a recipe", async () => {
  await expect(loadTransferData({ folder: root, sise: 3 } as never, colour)).rejects.toThrow("size");
  // A network of images that no set is drawn in: they are drawn as always.
  const small = { ...colour, height: 4 };
  const { notes } = await loadTransferData({ name: "synthetic", trainCount: 4, testCount: 2 }, small);
  expect(notes[0]).toContain("the images have 32 x 32 pixels, the network was trained on 4 x 12");
});
