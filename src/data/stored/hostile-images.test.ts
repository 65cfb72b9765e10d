/**
 * Files that are broken or hostile, one of each kind, in a folder that is checked as a user would check it: what each gives, and that
 * none harms the process.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { sharp } from "../../packages.js";
import { loadDataset } from "../load.js";
import { type CheckReport, checkStored } from "./check-report.js";
import { photo } from "./testing/photos.js";

/** What a file gives: "ok", or how its problem begins. */
type Kind = readonly [name: string, expected: string, bytes: Buffer];

const at = (jpeg: Buffer, marker: number) => jpeg.indexOf(Buffer.of(0xff, marker));
const without = (jpeg: Buffer, marker: number) => {
  const start = at(jpeg, marker);
  return Buffer.concat([jpeg.subarray(0, start), jpeg.subarray(start + 2 + jpeg.readUInt16BE(start + 2))]);
};
const changed = (bytes: Buffer, change: (copy: Buffer) => void) => {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
};
const segment = (marker: number, data: Buffer) => {
  const head = Buffer.of(0xff, marker, 0, 0);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
};
const afterStart = (jpeg: Buffer, ...segments: Buffer[]) =>
  Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);

/** A PNG of zeros of any size, whose pixels take next to no bytes. */
function png(width: number, height: number, rows = height): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const whole = Buffer.alloc(body.length + 8);
    whole.writeUInt32BE(data.length, 0);
    body.copy(whole, 4);
    whole.writeUInt32BE(crc32(body), body.length + 4);
    return whole;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const pixels = deflateSync(Buffer.alloc((width + 1) * rows));
  const signature = Buffer.from("89504e470d0a1a0a", "hex");
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", pixels),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

async function kinds(): Promise<Kind[]> {
  const jpeg = await photo(1, { width: 96, height: 64 });
  const image = () => sharp()(jpeg);
  const progressive = await image().jpeg({ progressive: true }).toBuffer();
  const lastScan = progressive.subarray(
    progressive.lastIndexOf(Buffer.of(0xff, 0xda)),
    progressive.length - 2,
  );
  const scans = Buffer.concat([
    progressive.subarray(0, -2),
    ...Array(3000).fill(lastScan),
    Buffer.of(0xff, 0xd9),
  ]);
  const gif = await image().gif().toBuffer();
  const tiff = await image().tiff().toBuffer();
  const webp = await image().webp().toBuffer();
  const frames = Buffer.concat([Buffer.alloc(96 * 64 * 3, 10), Buffer.alloc(96 * 64 * 3, 200)]);
  const animation = await sharp()(frames, {
    raw: { width: 96, height: 128, channels: 3, pageHeight: 64 } as never,
  })
    .gif()
    .toBuffer();
  const whole = await image().png().toBuffer();
  const unknown = "is no image of a known format";
  return [
    ["empty.jpg", "is empty", Buffer.alloc(0)],
    ["one-byte.jpg", unknown, Buffer.of(0xff)],
    ["text.jpg", unknown, Buffer.from("not an image")],
    ["page.jpg", unknown, Buffer.from("<!doctype html><title>404</title>")],
    [
      "drawing.png",
      unknown,
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/passwd"/></svg>'),
    ],
    ["document.jpg", unknown, Buffer.from("%PDF-1.7\n")],
    ["archive.png", unknown, Buffer.from("PK\u0003\u0004rest of a zip")],
    ["bitmap.jpg", unknown, Buffer.concat([Buffer.from("BM"), Buffer.alloc(100)])],
    [
      "heic.jpg",
      unknown,
      Buffer.concat([Buffer.of(0, 0, 0, 24), Buffer.from("ftypheic"), Buffer.alloc(100)]),
    ],
    ["junk-before.jpg", unknown, Buffer.concat([Buffer.alloc(3), jpeg])],
    ["junk-behind.jpg", "ok", Buffer.concat([jpeg, Buffer.alloc(5000, 7)])],
    ["start-alone.jpg", "is cut short", Buffer.of(0xff, 0xd8, 0xff)],
    ["in-header.jpg", "is cut short", jpeg.subarray(0, 40)],
    ["in-pixels.jpg", "is cut short", jpeg.subarray(0, jpeg.length >> 1)],
    ["without-end.jpg", "is cut short", jpeg.subarray(0, -2)],
    [
      "zeros-in-pixels.jpg",
      "is damaged",
      changed(jpeg, (copy) => copy.fill(0, copy.length >> 1, copy.length - 2)),
    ],
    ["no-quantisation.jpg", "is damaged", without(jpeg, 0xdb)],
    // libjpeg-turbo takes the standard tables then, as for frames of Motion JPEG.
    ["no-huffman.jpg", "ok", without(without(without(without(jpeg, 0xc4), 0xc4), 0xc4), 0xc4)],
    ["lossless.jpg", "is damaged", changed(jpeg, (copy) => copy.set([0xc3], at(copy, 0xc0) + 1))],
    [
      "no-size.jpg",
      "is damaged",
      changed(jpeg, (copy) => copy.fill(0, at(copy, 0xc0) + 5, at(copy, 0xc0) + 9)),
    ],
    ["bomb.jpg", "has ", changed(jpeg, (copy) => copy.fill(0xe0, at(copy, 0xc0) + 5, at(copy, 0xc0) + 9))],
    ["scan-bomb.jpg", "takes more memory, bytes or scans", scans],
    ["one-pixel.jpg", "ok", await photo(2, { width: 1, height: 1 })],
    ["thin.jpg", "ok", await photo(3, { width: 1, height: 3000 })],
    ["grey.jpg", "ok", await image().grayscale().jpeg().toBuffer()],
    ["cmyk.jpg", "ok", await image().toColourspace("cmyk").jpeg().toBuffer()],
    ["turned.jpg", "ok", await image().withMetadata({ orientation: 6 }).jpeg().toBuffer()],
    ["progressive.jpg", "ok", progressive],
    [
      "wrong-exif.jpg",
      "ok",
      afterStart(jpeg, segment(0xe1, Buffer.from("Exif\0\0II*\0\xff\xff\xff\xff", "latin1"))),
    ],
    ["long-exif.jpg", "ok", afterStart(jpeg, ...Array(20).fill(segment(0xe1, Buffer.alloc(60_000, 65))))],
    [
      "wrong-profile.jpg",
      "ok",
      afterStart(jpeg, segment(0xe2, Buffer.from("ICC_PROFILE\0\u0001\u0001garbage"))),
    ],
    ["profile.jpg", "ok", await image().withIccProfile("p3").jpeg().toBuffer()],
    ["whole.png", "ok", whole],
    ["palette.png", "ok", await image().png({ palette: true }).toBuffer()],
    ["transparent.png", "ok", await image().ensureAlpha(0.5).png().toBuffer()],
    ["16-bit.png", "ok", await image().toColourspace("rgb16").png().toBuffer()],
    ["cut.png", "is damaged", whole.subarray(0, whole.length >> 1)],
    [
      "wrong-checksum.png",
      "is damaged",
      changed(whole, (copy) => copy.fill(0, copy.length - 30, copy.length - 20)),
    ],
    ["bomb.png", "has ", png(30_000, 30_000, 0)],
    ["fewer-rows.png", "is damaged", png(100, 100, 10)],
    ["whole.webp", "ok", webp],
    ["cut.webp", "is damaged", webp.subarray(0, webp.length >> 1)],
    ["animation.gif", "ok", animation],
    // The decoder goes by the size of the frame.
    ["bomb.gif", "ok", changed(gif, (copy) => copy.fill(0xff, 6, 10))],
    ["whole.tiff", "ok", tiff],
    ["cut.tiff", "is damaged", tiff.subarray(0, tiff.length >> 1)],
  ];
}

let folder: string;
let report: CheckReport;
let files: Kind[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lyceum-hostile-"));
  vi.stubEnv("LYCEUM_DATA", join(folder, "cache"));
  const bad = join(folder, "photos/train/bad");
  for (const path of ["train/bad", "train/good", "val/good"])
    mkdirSync(join(folder, "photos", path), { recursive: true });
  files = await kinds();
  for (const [name, , bytes] of files) writeFileSync(join(bad, name), bytes);
  // What is no file never becomes part of a set.
  execFileSync("mkfifo", [join(bad, "pipe.jpg")]);
  symlinkSync("nowhere.jpg", join(bad, "dangling.jpg"));
  symlinkSync("/dev/zero", join(bad, "endless.jpg"));
  symlinkSync(".", join(bad, "circle"));
  mkdirSync(join(bad, "folder.jpg"));
  for (const path of ["train/good/1.jpg", "val/good/2.jpg"])
    writeFileSync(join(folder, "photos", path), await photo(path.length));
  report = await checkStored(await loadDataset({ name: "folder", root: join(folder, "photos"), size: 32 }));
}, 30_000);

afterAll(() => rmSync(folder, { recursive: true }));

it("each gives what it should", () => {
  const found = new Map(report.train.damaged.map(({ name, problem }) => [basename(name), problem]));
  const gave = files.map(([name, expected]) => {
    const problem = found.get(name) ?? "ok";
    return [name, problem.startsWith(expected) ? expected : problem];
  });
  expect(gave).toEqual(files.map(([name, expected]) => [name, expected]));
  expect(files.length).toBeGreaterThanOrEqual(40);
});

it("pipes, devices, dangling links and folders are never opened as images", () => {
  expect(report.notes.join("\n")).toContain("left out");
  for (const name of ["pipe.jpg", "dangling.jpg", "endless.jpg", "folder.jpg"])
    expect(JSON.stringify(report.train.damaged)).not.toContain(`/${name}"`);
});
