/**
 * Image files of strangers to bytes of a network's size. Decoding is sharp's (libvips), on background threads; what is
 * none of the formats below by its first bytes never reaches it.
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { sharp } from "../packages.js";
import { limiter } from "./limiter.js";

/** The size that an image is brought to. */
export interface ImageSize {
  /** 1 for grey, 3 for red, green and blue. */
  channels: number;
  height: number;
  width: number;
}

/** The formats that {@link decodeImage} reads, as messages name them. */
export const imageFormats = "PNG, JPEG, WebP, GIF and TIFF";

/** Enough for any camera; more is refused before anything is unpacked. */
const MAX_PIXELS = 100_000_000;
const MAX_BYTES = 256 * 2 ** 20;

/** An image takes up to 4 bytes a pixel while it is decoded, so few are at a time, whoever asks for them. */
const decoding = limiter(4);

/** Why an image cannot be read. */
export type ImageProblem =
  | "unreadable"
  | "no-file"
  | "unknown-format"
  | "too-large"
  | "corrupt"
  | "truncated"
  | "changed";

/** An image that cannot be read. The message names it, says what is wrong and what would work. */
export class ImageError extends Error {
  override readonly name = "ImageError";

  constructor(
    message: string,
    readonly problem: ImageProblem,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Decodes one image and brings it to a size: rotated as its EXIF data say, transparency laid on black, stretched to
 * height x width (Lanczos; nothing where the size is the same already), 8 bits a channel, colours in sRGB. Grey becomes
 * colour by repetition, colour becomes grey by its luminance. Of an animation the first frame counts, of a TIFF the first
 * page. The format is found by the content, not by the name.
 *
 * @param image a file's path, or the bytes of one
 * @param size what the image shall become
 * @param name what messages call it; a path's default is the path
 * @returns [channels, height, width], row by row
 * @throws ImageError when it is not there, not an image of these formats, damaged, or above 100 million pixels or 256 MiB;
 *   RangeError when `channels` is neither 1 nor 3
 */
export async function decodeImage(
  image: string | Uint8Array,
  size: ImageSize,
  name = typeof image === "string" ? image : "the image",
): Promise<Uint8Array> {
  const { channels, height, width } = size;
  if (channels !== 1 && channels !== 3) {
    throw new RangeError(
      `image files become 1 channel (grey) or 3 (colour), not ${channels}: give such images as tensors`,
    );
  }
  return decoding(async () => {
    const bytes = await bytesOf(image, name);
    return inOwnWords(name, MAX_PIXELS, async () => {
      const { data, info } = await sharp()(bytes, {
        limitInputPixels: MAX_PIXELS,
        failOn: "error",
        autoOrient: true,
      })
        .flatten({ background: "#000" })
        .resize(width, height, { fit: "fill" })
        .toColourspace(channels === 1 ? "b-w" : "srgb")
        .raw({ depth: "uchar" })
        .toBuffer({ resolveWithObject: true });
      return planes(data, info.channels, size);
    });
  });
}

/** A part of a file. */
export interface FilePart {
  /** As bytes where it need not be UTF-8. */
  path: string | Buffer;
  /** In bytes. */
  offset: number;
  /** In bytes; -1 is all that follows. */
  length: number;
}

/**
 * Decodes one image as {@link decodeImage} does, in its own size and in colour. Embedded colour profiles are ignored, except
 * those of CMYK.
 *
 * @returns pixels [H, W, 3]
 * @throws ImageError as {@link decodeImage} does, above `maxPixels`
 */
export async function decodePixels(
  image: FilePart | Uint8Array,
  name: string,
  { maxPixels = MAX_PIXELS }: { maxPixels?: number | undefined } = {},
): Promise<{ pixels: Uint8Array; height: number; width: number }> {
  return decoding(async () => {
    const bytes = await bytesOf(image, name);
    return inOwnWords(name, maxPixels, async () => {
      // A warning about a JPEG file says that its data are damaged, as it does to the native decoder.
      const failOn = isJpeg(bytes) ? "warning" : "error";
      const input = { limitInputPixels: maxPixels, failOn, autoOrient: true } as const;
      const { space } = await sharp()(bytes, input).metadata();
      const { data, info } = await sharp()(bytes, { ...input, ignoreIcc: space !== "cmyk" })
        .flatten({ background: "#000" })
        .toColourspace("srgb")
        .raw({ depth: "uchar" })
        .toBuffer({ resolveWithObject: true });
      const { channels, height, width } = info;
      return { pixels: channels === 3 ? data : repeated(data, channels), height, width };
    });
  });
}

/** The bytes of an image, which begin as those of a known format do. */
async function bytesOf(image: string | FilePart | Uint8Array, name: string): Promise<Uint8Array> {
  // A copy of what was given: another thread reads it while JavaScript may write over it or detach it.
  const bytes =
    image instanceof Uint8Array
      ? new Uint8Array(image)
      : await readImage(typeof image === "string" ? { path: image, offset: 0, length: -1 } : image, name);
  if (hasKnownStart(bytes)) return bytes;
  const what = bytes.length === 0 ? "is empty" : "is no image of a known format";
  throw new ImageError(`${name}: ${what}; ${imageFormats} work`, "unknown-format");
}

/** Lets an error of libvips name the image and say what would work. */
async function inOwnWords<T>(name: string, maxPixels: number, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (cause) {
    const { message } = cause as Error;
    if (/exceeds pixel limit/.test(message)) {
      const problem = `has more than ${maxPixels / 1e6} million pixels, which no image here may have`;
      throw new ImageError(`${name}: ${problem}`, "too-large", { cause });
    }
    const first = message.split("\n", 1)[0]!.slice(0, 200);
    const problem = `is damaged or cut short (${first}); ${imageFormats} work when they are whole`;
    const isShort = /premature end of JPEG|end of (stream|file)|truncated/i.test(message);
    throw new ImageError(`${name}: ${problem}`, isShort ? "truncated" : "corrupt", { cause });
  }
}

async function readImage({ path, offset, length: part }: FilePart, name: string): Promise<Uint8Array> {
  // Without O_NONBLOCK, opening a pipe would wait for a writer for ever.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  try {
    const file = await open(path, flags);
    try {
      const found = await file.stat();
      if (!found.isFile()) throw new ImageError(`${name}: is no file but ${kindOf(found)}`, "no-file");
      const size = part < 0 ? Math.max(0, found.size - offset) : part;
      if (size > MAX_BYTES)
        throw new ImageError(`${name}: is larger than ${MAX_BYTES / 2 ** 20} MiB`, "too-large");
      // Not readFile, which would go on reading a file that grows.
      const bytes = new Uint8Array(size);
      let length = 0;
      while (length < bytes.length) {
        const { bytesRead } = await file.read(bytes, length, bytes.length - length, offset + length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return bytes.subarray(0, length);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const known = {
      ENOENT: "there is no such file",
      EACCES: "may not be read",
      ENOTDIR: "there is no such file",
    };
    throw new ImageError(`${name}: ${known[code as keyof typeof known] ?? message}`, "unreadable", { cause });
  }
}

function kindOf(found: { isDirectory(): boolean }): string {
  return found.isDirectory() ? "a folder" : "a device or pipe";
}

const jpegStart = /^ffd8ff/;

/** In hexadecimal. Only these decoders shall see bytes from strangers, out of the many that libvips has. */
const starts: readonly RegExp[] = [
  /^89504e470d0a1a0a/, // PNG
  jpegStart,
  /^52494646.{8}57454250/, // WebP: RIFF, a length, WEBP
  /^474946383[79]61/, // GIF87a, GIF89a
  /^(49492[ab]00|4d4d002[ab])/, // TIFF of either byte order, and its variant for files above 4 GiB
];

const startOf = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 12)).toString("hex");

function hasKnownStart(bytes: Uint8Array): boolean {
  return starts.some((known) => known.test(startOf(bytes)));
}

const isJpeg = (bytes: Uint8Array) => jpegStart.test(startOf(bytes));

/** Pixel after pixel becomes channel after channel; a grey image's one channel serves for all. */
function planes(pixels: Uint8Array, given: number, { channels, height, width }: ImageSize): Uint8Array {
  const area = height * width;
  if (pixels.length !== area * given) throw new Error(`decoded to ${pixels.length} bytes`);
  const result = new Uint8Array(channels * area);
  for (let c = 0; c < channels; c++) {
    const from = given === 1 ? 0 : c;
    for (let p = 0; p < area; p++) result[c * area + p] = pixels[p * given + from]!;
  }
  return result;
}

/** Grey pixels in colour. */
function repeated(pixels: Uint8Array, channels: number): Uint8Array {
  const result = new Uint8Array((pixels.length / channels) * 3);
  for (let p = 0; p < pixels.length / channels; p++) result.fill(pixels[p * channels]!, 3 * p, 3 * p + 3);
  return result;
}
