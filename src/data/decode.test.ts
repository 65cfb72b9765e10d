import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { decodeImage, ImageError } from "./decode.js";

const folder = mkdtempSync(join(tmpdir(), "lyceum-decode-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, bytes: Uint8Array | string) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

const raw = (pixels: Uint8Array | Uint16Array, width: number, height: number, channels: 1 | 2 | 3 | 4) =>
  sharp(pixels, { raw: { width, height, channels } });

/** 16 x 16 pixels in all 256 values, and other values in other channels. */
const ramp = (channels: number) =>
  Uint8Array.from({ length: 256 * channels }, (_, i) => (i * 37 + i / 3) % 256);
const toPlanes = (pixels: Uint8Array, channels: number) =>
  Array.from(pixels, (_, at) => pixels[(at % 256) * channels + Math.floor(at / 256)]!);
const size = { channels: 3, height: 16, width: 16 };
const square = (value: number | undefined, n: number) => Array(n).fill(value);

describe("images that need no change are the same to the bit", () => {
  it.each(["png", "webp", "tiff"] as const)("colour, %s", async (format) => {
    const pixels = ramp(3);
    const bytes = await raw(pixels, 16, 16, 3)
      .toFormat(format, { lossless: true, compression: "lzw" })
      .toBuffer();
    expect(Array.from(await decodeImage(bytes, size))).toEqual(toPlanes(pixels, 3));
  });

  it("grey", async () => {
    const pixels = ramp(1);
    const bytes = await raw(pixels, 16, 16, 1).toColourspace("b-w").png().toBuffer();
    expect(Array.from(await decodeImage(bytes, { ...size, channels: 1 }))).toEqual(Array.from(pixels));
  });

  it("grey stored as colour, and grey repeated to colour", async () => {
    const pixels = ramp(1);
    const bytes = await raw(pixels, 16, 16, 1).toColourspace("srgb").png().toBuffer();
    expect(Array.from(await decodeImage(bytes, { ...size, channels: 1 }))).toEqual(Array.from(pixels));
    const grey = await raw(pixels, 16, 16, 1).toColourspace("b-w").png().toBuffer();
    expect(Array.from(await decodeImage(grey, size))).toEqual([...pixels, ...pixels, ...pixels]);
  });
});

it("reads files by their content, whatever their name says", async () => {
  const pixels = ramp(3);
  const path = file("wrong.jpg", await raw(pixels, 16, 16, 3).png().toBuffer());
  expect(Array.from(await decodeImage(path, size))).toEqual(toPlanes(pixels, 3));
});

it("stretches to the size, a single pixel too", async () => {
  const one = await raw(Uint8Array.of(10, 200, 30), 1, 1, 3)
    .png()
    .toBuffer();
  expect(Array.from(await decodeImage(one, { channels: 3, height: 2, width: 3 }))).toEqual([
    ...square(10, 6),
    ...square(200, 6),
    ...square(30, 6),
  ]);
  const wide = await raw(new Uint8Array(100 * 3).fill(77), 100, 3, 1)
    .png()
    .toBuffer();
  expect(Array.from(await decodeImage(wide, { channels: 1, height: 4, width: 4 }))).toEqual(square(77, 16));
});

it("turns an image as its EXIF data say", async () => {
  // Two pixels side by side, to be turned by a quarter: the left one comes to the top.
  const turned = await raw(Uint8Array.of(0, 255), 2, 1, 1).withMetadata({ orientation: 6 }).tiff().toBuffer();
  expect(Array.from(await decodeImage(turned, { channels: 1, height: 2, width: 1 }))).toEqual([0, 255]);
});

it("lays transparency on black", async () => {
  const pixels = Uint8Array.of(255, 255, 255, 0, 200, 100, 50, 255);
  const png = await raw(pixels, 2, 1, 4).png().toBuffer();
  const to = { channels: 3, height: 1, width: 2 };
  expect(Array.from(await decodeImage(png, to))).toEqual([0, 200, 0, 100, 0, 50]);
  const greyAlpha = await raw(Uint8Array.of(255, 0, 80, 255), 2, 1, 2)
    .png()
    .toBuffer();
  expect(Array.from(await decodeImage(greyAlpha, { ...to, channels: 1 }))).toEqual([0, 80]);
});

it("keeps the upper 8 of 16 bits", async () => {
  const pixels = Uint16Array.from({ length: 3 * 16 }, (_, i) => i * 4096 + 128);
  const png = await raw(pixels, 16, 1, 3).toColourspace("rgb16").png().toBuffer();
  expect((await sharp(png).metadata()).depth).toBe("ushort");
  const found = await decodeImage(png, { channels: 3, height: 1, width: 16 });
  const expected = Array.from(found, (_, at) => (pixels[(at % 16) * 3 + Math.floor(at / 16)]! & 0xffff) >> 8);
  expect(Array.from(found)).toEqual(expected);
});

it("takes the first frame of an animation, the first page of a TIFF", async () => {
  const frame = (value: number) => raw(new Uint8Array(48).fill(value), 4, 4, 3).png().toBuffer();
  const frames = await Promise.all([0, 255, 0].map(frame));
  const small = { channels: 1, height: 4, width: 4 };
  for (const format of ["gif", "webp", "tiff"] as const) {
    const bytes = await sharp(frames, { join: { animated: true } })
      .toFormat(format)
      .toBuffer();
    expect((await sharp(bytes).metadata()).pages, format).toBe(3);
    expect(Array.from(await decodeImage(bytes, small)), format).toEqual(square(0, 16));
  }
});

it("brings CMYK to red, green and blue", async () => {
  const jpeg = await sharp({ create: { width: 8, height: 8, channels: 3, background: "#f00" } })
    .toColourspace("cmyk")
    .jpeg()
    .toBuffer();
  expect((await sharp(jpeg).metadata()).space).toBe("cmyk");
  const [red, green, blue] = await decodeImage(jpeg, { channels: 3, height: 1, width: 1 });
  // The inks' red is not the screen's; inverted or unconverted inks would be far away.
  expect(red).toBeGreaterThan(200);
  expect(green).toBeLessThan(80);
  expect(blue).toBeLessThan(80);
});

describe("what is no image is refused by its name, with what would work", () => {
  const works = "PNG, JPEG, WebP, GIF and TIFF work";
  const refused = async (image: string | Uint8Array, name?: string) => {
    const error = await decodeImage(image, size, name).catch((error) => error);
    expect(error).toBeInstanceOf(ImageError);
    return (error as Error).message;
  };

  it.each([
    ["text.png", "this is a text", `is no image of a known format; ${works}`],
    ["empty.png", "", `is empty; ${works}`],
    [
      "drawing.svg",
      "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
      "is no image of a known",
    ],
    ["start-only.png", "\x89PNG\r\n\x1a\n", "is damaged or cut short"],
  ])("%s", async (name, content, problem) => {
    const path = file(name, Buffer.from(content, "latin1"));
    expect(await refused(path)).toContain(`${path}: ${problem}`);
  });

  it.each(["png", "jpeg", "webp", "gif", "tiff"] as const)("a %s cut short", async (format) => {
    const noise = Uint8Array.from({ length: 3 * 64 * 64 }, (_, i) => (i * i * 7919) % 251);
    const whole = await raw(noise, 64, 64, 3).toFormat(format).toBuffer();
    const path = file(`cut.${format}`, whole.subarray(0, whole.length * 0.6));
    expect(await refused(path)).toMatch(/cut\.\w+: is damaged or cut short \(.+\); PNG, JPEG/);
  });

  it("a header that claims a billion pixels, before they are made", async () => {
    const png = Buffer.from(await raw(new Uint8Array(3), 1, 1, 3).png().toBuffer());
    png.writeUInt32BE(40_000, 16);
    png.writeUInt32BE(40_000, 20);
    png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
    const before = process.resourceUsage().maxRSS;
    expect(await refused(png)).toContain("the image: has more than 100 million pixels");
    // Kibibytes: of 4.8 GB not a tenth.
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(480_000);
  });

  it("paths that lead to no file", async () => {
    expect(await refused(join(folder, "none.png"))).toContain("none.png: there is no such file");
    expect(await refused(`${file("a-file", "x")}/b.png`)).toContain("b.png: there is no such file");
    mkdirSync(join(folder, "sub"));
    expect(await refused(join(folder, "sub"))).toContain("sub: is no file but a folder");
  });

  it("a pipe, without waiting for a writer", async () => {
    execFileSync("mkfifo", [join(folder, "pipe")]);
    expect(await refused(join(folder, "pipe"))).toContain("pipe: is no file but a device or pipe");
  });

  it("bytes, by the name they are given", async () => {
    expect(await refused(Uint8Array.of(1, 2, 3))).toBe(`the image: is no image of a known format; ${works}`);
    expect(await refused(Uint8Array.of(1, 2, 3), "upload 7")).toMatch(/^upload 7: /);
  });

  it("other numbers of channels than files can become", async () => {
    await expect(decodeImage(Uint8Array.of(1), { ...size, channels: 4 })).rejects.toThrow(
      "image files become 1 channel (grey) or 3 (colour), not 4: give such images as tensors",
    );
  });
});

it("leaves the bytes alone, which may be written over at once", async () => {
  const pixels = ramp(3);
  const bytes = await raw(pixels, 16, 16, 3).png().toBuffer();
  const copy = new Uint8Array(bytes);
  const pending = decodeImage(copy, size);
  structuredClone(copy.buffer, { transfer: [copy.buffer] });
  expect(Array.from(await pending)).toEqual(toPlanes(pixels, 3));
});
