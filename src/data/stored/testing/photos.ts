import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sharp } from "../../../packages.js";
import { hash32 } from "../../random.js";

/** Draws a photograph of sorts: bands of colour that the seed decides, with noise. */
export async function photo(
  seed: number,
  { width = 60, height = 40, format = "jpeg" as "jpeg" | "png" | "webp" } = {},
): Promise<Buffer> {
  const pixels = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const [x, y, c] = [Math.floor(i / 3) % width, Math.floor(i / (3 * width)), i % 3];
    const wave = Math.sin((x * (1 + (seed % 3)) + y * (1 + (seed % 5))) / 9 + c + seed);
    return Math.max(0, Math.min(255, 128 + 90 * wave + (hash32(seed, i) % 16)));
  });
  return await sharp()(pixels, { raw: { width, height, channels: 3 } })
    .toFormat(format)
    .toBuffer();
}

/** Writes a folder of photographs with a part for training and one for testing, two classes of different bands. */
export async function writePhotos(folder: string, { train = 6, test = 2 } = {}): Promise<void> {
  for (const [part, count] of [
    ["train", train],
    ["val", test],
  ] as const) {
    for (const [label, name] of ["steep", "shallow"].entries()) {
      mkdirSync(join(folder, part, name), { recursive: true });
      for (let i = 0; i < count; i++) {
        const seed = 2 * i + label + (part === "val" ? 100 : 0);
        const size = { width: 50 + 7 * i, height: 70 - 5 * i };
        writeFileSync(join(folder, part, name, `${i}.jpg`), await photo(seed, size));
      }
    }
  }
}
