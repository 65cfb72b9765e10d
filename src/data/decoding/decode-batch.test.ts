import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { hasJpeg } from "../../nn/cpu/index.js";
import * as torch from "../../torch/index.js";
import { decodeBatch, type ImageOutcome, placesInMemory, placesOf, type View } from "./index.js";

interface Case {
  image: string;
  height: number;
  width: number;
  pixels: string;
}
interface Fixture {
  images: Record<string, string>;
  central: (Case & { resize: number })[];
  random: (Case & {
    key: string;
    scale: [number, number];
    ratio: [number, number];
    box: number[];
    denominator: number;
  })[];
}
const fixture: Fixture = JSON.parse(readFileSync(new URL("./fixtures/views.json", import.meta.url), "utf8"));
const image = (name: string) => new Uint8Array(Buffer.from(fixture.images[name]!, "base64"));
const bytesOf = (base64: string) => [...Buffer.from(base64, "base64")];

const folder = mkdtempSync(join(tmpdir(), "lyceum-decoding-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, bytes: Uint8Array | string) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

const small: View = { kind: "central", resize: 14, height: 12, width: 12 };

/** Decodes one image, and gives its pixels too. */
async function decodeOne(bytes: Uint8Array, view: View, key?: bigint) {
  const keys = key === undefined ? undefined : BigInt64Array.of(key);
  const { pixels, outcomes } = await decodeBatch(placesInMemory([bytes]), view, { keys });
  const values = [...(pixels.toTypedArray() as Uint8Array)];
  pixels.dispose();
  return { values, outcome: outcomes[0]! };
}

describe.each(fixture.central)("$image to $height x $width, resized to $resize", (each) => {
  const { image: name, resize, height, width, pixels } = each;
  // Without libjpeg-turbo, sharp decodes; its own copy of the library rounds in places of its own.
  it.runIf(hasJpeg() || name.startsWith("png"))("is PIL's and torchvision's to the bit", async () => {
    const { values, outcome } = await decodeOne(image(name), { kind: "central", resize, height, width });
    expect(outcome.problem).toBe("");
    expect(values).toEqual(bytesOf(pixels));
  });
});

describe.runIf(hasJpeg()).each(fixture.random)("$image to $height x $width, box by key $key", (each) => {
  it("is PIL's of the same box, at the same scale", async () => {
    const { height, width, scale, ratio } = each;
    const view: View = { kind: "random", height, width, scale, ratio };
    const { values, outcome } = await decodeOne(image(each.image), view, BigInt(each.key));
    const { top, left, height: tall, width: wide } = outcome.box;
    expect([top, left, tall, wide]).toEqual(each.box);
    expect(outcome.denominator).toBe(each.denominator);
    expect(values).toEqual(bytesOf(each.pixels));
  });
});

describe("a batch", () => {
  const names = Object.keys(fixture.images);
  const random: View = { kind: "random", height: 24, width: 20 };
  const keys = BigInt64Array.from(names, (_, i) => BigInt(7 * i - 3));

  it("is the same with any number of threads, from files, from memory, or out of an archive", async () => {
    const paths = names.map((_, i) => file(`${i}.dat`, image(names[i]!)));
    const bytes = Buffer.concat([Buffer.alloc(512), ...names.map(image), Buffer.alloc(99)]);
    const archive = file("all.tar", bytes);
    let offset = 512;
    const parts = names.map((name) => {
      const { length } = image(name);
      offset += length;
      return { path: archive, offset: offset - length, length, size: bytes.length };
    });
    const sources = [
      placesOf(paths.map((path) => ({ path }))),
      placesInMemory(names.map(image)),
      placesOf(parts),
    ];
    let first: Uint8Array | undefined;
    for (const source of sources) {
      for (const threads of [1, 3]) {
        const { pixels, outcomes } = await decodeBatch(source, random, { keys, threads });
        expect(outcomes.map(({ status }) => status)).toEqual(names.map(() => "ok"));
        const found = pixels.toTypedArray() as Uint8Array;
        first ??= found;
        expect(found).toEqual(first);
        pixels.dispose();
      }
    }
  });

  it("is mirrored where that is asked for", async () => {
    const images = placesInMemory(names.map(image));
    const mirrored = Uint8Array.from(names, (_, i) => i % 2);
    for (const view of [random, small, { ...small, resize: 9, width: 50 }]) {
      const own = view.kind === "random" ? keys : undefined;
      const plain = await decodeBatch(images, view, { keys: own });
      const some = await decodeBatch(images, view, { keys: own, mirrored });
      names.forEach((name, i) => {
        const image = plain.pixels.select(0, i);
        const expected = i % 2 === 1 ? image.flip([2]) : image;
        expect(torch.op("aten::equal", some.pixels.select(0, i), expected), name).toBe(true);
      });
    }
    const short = decodeBatch(images, small, { mirrored: mirrored.subarray(1) });
    await expect(short).rejects.toThrow("mirrored must be one for each image");
  });

  it("can be empty", async () => {
    const { pixels, outcomes } = await decodeBatch(placesOf([]), small);
    expect([pixels.shape, outcomes]).toEqual([[0, 3, 12, 12], []]);
  });

  it("decodes what is no JPEG file of grey or three colours by sharp", async () => {
    const png = await sharp(Buffer.from([10, 20, 30, 255, 40, 50, 60, 0]), {
      raw: { width: 2, height: 1, channels: 4 },
    })
      .png()
      .toBuffer();
    const { values } = await decodeOne(png, { kind: "central", resize: 1, height: 1, width: 2 });
    expect(values).toEqual([10, 0, 20, 0, 30, 0]);
    expect((await decodeOne(image("cmyk"), small)).outcome).toMatchObject({
      status: "ok",
      width: 20,
      height: 16,
    });
  });

  it("refuses keys that do not fit, and views that are out of range", async () => {
    const one = placesInMemory([image("png")]);
    await expect(decodeBatch(one, small, { keys: BigInt64Array.of(1n) })).rejects.toThrow(
      "a central one takes none",
    );
    await expect(decodeBatch(one, random)).rejects.toThrow("a random view needs keys");
    await expect(decodeBatch(one, random, { keys: BigInt64Array.of(1n, 2n) })).rejects.toThrow(
      "keys must be one for each image",
    );
    await expect(decodeBatch(one, { ...small, height: 0 })).rejects.toThrow(
      "height and width must be 1..16384",
    );
    await expect(decodeBatch(one, { ...small, resize: 0 })).rejects.toThrow("resize must be 1..16384");
    const scale = [0, 1] as const;
    await expect(decodeBatch(one, { ...random, scale }, { keys: BigInt64Array.of(1n) })).rejects.toThrow(
      "scale must be",
    );
    const ratio = [2, 1] as const;
    await expect(decodeBatch(one, { ...random, ratio }, { keys: BigInt64Array.of(1n) })).rejects.toThrow(
      "ratio must be",
    );
    await expect(
      decodeBatch({ ...one, places: BigInt64Array.of(-1n, 0n, 9n ** 9n, -1n, -1n) }, small),
    ).rejects.toThrow("must lie in the");
    await expect(
      decodeBatch({ ...one, places: BigInt64Array.of(5n, 0n, -1n, -1n, -1n) }, small),
    ).rejects.toThrow("each must end with a zero");
    await expect(
      decodeBatch({ ...one, places: BigInt64Array.of(-1n, -4n, -1n, -1n, -1n) }, small),
    ).rejects.toThrow("must be 0 or more");
  });
});

describe("an image that cannot be decoded", () => {
  const whole = image("jpeg 420, large");
  /** Its outcome; that its pixels are zeros is checked. */
  async function outcomeOf(source: Parameters<typeof decodeBatch>[0], options = {}): Promise<ImageOutcome> {
    const { pixels, outcomes } = await decodeBatch(source, small, options);
    if (outcomes[0]!.status !== "ok") expect(pixels.sum().item()).toBe(0);
    pixels.dispose();
    return outcomes[0]!;
  }
  const inMemory = (bytes: Uint8Array) => outcomeOf(placesInMemory([bytes]));
  const atPath = (path: string, more = {}) => outcomeOf(placesOf([{ path, ...more }]));

  it.runIf(hasJpeg())("is cut short at whatever byte", async () => {
    for (let length = 4; length < whole.length; length += 37) {
      const { status, problem } = await inMemory(whole.subarray(0, length));
      expect(status, `${length} of ${whole.length} bytes: ${problem}`).toBe("truncated");
    }
    expect((await inMemory(whole.subarray(0, -2))).problem).toBe("is cut short (Premature end of JPEG file)");
  });

  it("is damaged", async () => {
    const damaged = new Uint8Array(whole);
    // Markers that stand in the middle of the data of pixels.
    for (let at = whole.length >> 1; at < whole.length - 99; at += 40) damaged.set([0xff, 0xd3], at);
    expect((await inMemory(damaged)).status).toBe("corrupt");
    const png = image("png").slice();
    png[60]! ^= 0xff;
    expect((await inMemory(png)).status).toMatch(/corrupt|truncated/);
  });

  it("is none, or of another format", async () => {
    for (const bytes of [new Uint8Array(0), Buffer.from("BM not an image"), Buffer.from("<svg/>")])
      expect((await inMemory(bytes)).status).toBe("unknown-format");
  });

  it("has too many pixels, of which no memory is taken", async () => {
    expect(await outcomeOf(placesInMemory([whole]), { maxPixels: 19499 })).toMatchObject({
      status: "too-large",
      width: hasJpeg() ? 150 : 0,
      problem: expect.stringContaining(
        hasJpeg() ? "has 19500 pixels, and more than 19499 are refused" : "pixels",
      ),
    });
    expect(await outcomeOf(placesInMemory([whole]), { maxPixels: 19500 })).toMatchObject({ status: "ok" });
    expect(await outcomeOf(placesInMemory([image("png")]), { maxPixels: 700 })).toMatchObject({
      status: "too-large",
    });
  });

  it.runIf(hasJpeg())("has thousands of scans", async () => {
    const progressive = image("jpeg, progressive");
    // The last scan, from its SOS marker on, once more and again: each changes the whole image.
    const last = Buffer.from(progressive).lastIndexOf(Buffer.from([0xff, 0xda]));
    const scan = progressive.slice(last, -2);
    const bomb = Buffer.concat([progressive.slice(0, -2), ...Array(5000).fill(scan), progressive.slice(-2)]);
    expect(await inMemory(bomb)).toMatchObject({ status: "too-large" });
  });

  it("is missing, a folder, a pipe, or not to be read", async () => {
    expect(await atPath(join(folder, "missing.jpg"))).toMatchObject({
      status: "unreadable",
      problem: "cannot be read: no such file or directory",
    });
    mkdirSync(join(folder, "folder.jpg"));
    expect(await atPath(join(folder, "folder.jpg"))).toMatchObject({
      status: "no-file",
      problem: "is no file",
    });
    const pipe = join(folder, "pipe.jpg");
    execFileSync("mkfifo", [pipe]);
    expect(await atPath(pipe)).toMatchObject({ status: "no-file" });
    expect(await atPath("/dev/zero")).toMatchObject({ status: "no-file" });
    symlinkSync(join(folder, "loop.jpg"), join(folder, "loop.jpg"));
    expect(await atPath(join(folder, "loop.jpg"))).toMatchObject({ status: "unreadable" });
  });

  it("was changed since it was listed", async () => {
    const path = file("listed.jpg", whole);
    const { size, mtimeMs } = statSync(path);
    expect(await atPath(path, { size, time: mtimeMs })).toMatchObject({ status: "ok" });
    expect(await atPath(path, { size: size + 1 })).toMatchObject({
      status: "changed",
      problem: "was changed since it was listed",
    });
    expect(await atPath(path, { time: mtimeMs - 2000 })).toMatchObject({ status: "changed" });
    expect(await atPath(path, { offset: 9, length: size })).toMatchObject({ status: "truncated" });
  });
});
