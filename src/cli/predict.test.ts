import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { trainGenerations } from "../generations/index.js";
import { loadModel } from "../predict/index.js";
import { run } from "./program.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-cli-predict-"));
const trained = join(root, "trained");
const photos = join(root, "photos");
const files = ["a.png", "b.JPG", "deep/c.webp", "deep/d.gif", "e.tiff"].map((name) => join(photos, name));

let out: string;
let err: string;
let onWrite: () => void;

beforeAll(async () => {
  const data = { name: "synthetic", classes: 4, size: 10, trainCount: 64, testCount: 16 };
  const recipe = { data, model: "resnet8", epochs: 1, batchSize: 32, generations: 2, patriarch: { k: 2 } };
  await trainGenerations(recipe, { directory: trained });
  mkdirSync(join(photos, "deep"), { recursive: true });
  for (const [i, file] of files.entries()) {
    const pixels = Uint8Array.from({ length: 30 * 20 * 3 }, (_, at) => (at * (i + 3) * 7919) % 251);
    const format = { JPG: "jpeg" }[file.split(".")[1]!] ?? file.split(".")[1]!;
    const image = sharp(pixels, { raw: { width: 30, height: 20, channels: 3 } });
    writeFileSync(file, await image.toFormat(format as "png").toBuffer());
  }
});
afterAll(() => rmSync(root, { recursive: true }));

beforeEach(() => {
  out = "";
  err = "";
  onWrite = () => {};
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += text;
    onWrite();
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += text;
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

const asked = async (options: Parameters<typeof loadModel>[1], path = trained) => {
  using model = await loadModel(path, options);
  return await model.predict(files);
};
const jsonLines = () =>
  out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

it("predicts a folder's images and those below it, in order, as a table", async () => {
  expect(await run(["predict", trained, photos, "--top", "2"])).toBe(0);
  expect(err).toBe("");
  const lines = out.trimEnd().split("\n");
  expect(lines[0]).toMatch(/^image {2,}class {2,} score$/);
  const predictions = await asked({});
  expect(lines.slice(1).map((line) => line.trim().split(/ {2,}/))).toEqual(
    predictions.flatMap(({ scores }, i) => [
      [files[i], scores[0]!.class, scores[0]!.score.toFixed(4)],
      [scores[1]!.class, scores[1]!.score.toFixed(4)],
    ]),
  );
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
});

it("prints JSON lines, of a generation, an ensemble, or a weights file", async () => {
  for (const [args, options, path] of [
    [[], {}, trained],
    [["--generation", "0"], { generation: 0 }, trained],
    [["--generations", "0-1"], { generations: "0-1" }, trained],
    [
      ["--generations", "1,0", "--mean", "logits", "--weights", "2,1"],
      { generations: "1,0", mean: "logits", weights: [2, 1] },
      trained,
    ],
    [[], {}, join(trained, "generation-0/weights.safetensors")],
  ] as const) {
    out = "";
    expect(await run(["predict", path, ...files, "--json", "--top", "3", ...args])).toBe(0);
    using model = await loadModel(path, options);
    const predictions = await model.predict(files, { top: 3 });
    expect(jsonLines()).toEqual(predictions.map((prediction, i) => ({ file: files[i], ...prediction })));
  }
});

it("goes on with the others where one cannot be read, and says so at the end", async () => {
  const text = join(root, "text.png");
  const empty = join(root, "empty");
  writeFileSync(text, "no image");
  mkdirSync(empty, { recursive: true });
  const args = ["predict", trained, text, files[0]!, join(root, "gone.png"), empty, "--top", "1"];
  expect(await run(args)).toBe(1);
  expect(out.trimEnd().split("\n")).toHaveLength(2);
  expect(err.split("\n")).toEqual([
    `${empty}: holds no images (.png, .jpg, .webp, .gif, .tif)`,
    `${text}: is no image of a known format; PNG, JPEG, WebP, GIF and TIFF work`,
    `${join(root, "gone.png")}: there is no such file`,
    "lyceum: 3 of 4 images failed",
    "",
  ]);
  out = "";
  expect(await run([...args, "--json"])).toBe(1);
  expect(jsonLines().map(({ file, label, error }) => [file, typeof label, typeof error])).toEqual([
    [empty, "undefined", "string"],
    [text, "undefined", "string"],
    [files[0], "string", "undefined"],
    [join(root, "gone.png"), "undefined", "string"],
  ]);
});

it("leaves hidden files, links to folders and other files of a folder out", async () => {
  const folder = join(root, "mixed");
  mkdirSync(join(folder, ".hidden"), { recursive: true });
  for (const name of [".hidden/a.png", ".b.png", "c.txt", "d.png"]) writeFileSync(join(folder, name), "x");
  symlinkSync(folder, join(folder, "loop"));
  symlinkSync(files[0]!, join(folder, "link.png"));
  symlinkSync(join(root, "nowhere"), join(folder, "broken.png"));
  expect(await run(["predict", trained, folder, "--json"])).toBe(1);
  expect(jsonLines().map(({ file }) => file)).toEqual([join(folder, "d.png"), join(folder, "link.png")]);
});

it("reads one image from stdin", async () => {
  const { readFileSync } = await import("node:fs");
  const bytes = readFileSync(files[0]!);
  vi.spyOn(process, "stdin", "get").mockReturnValue(
    Readable.from([bytes.subarray(0, 100), bytes.subarray(100)]) as typeof process.stdin,
  );
  expect(await run(["predict", trained, "-", files[1]!, "--json"])).toBe(0);
  // In one batch of two, as the command puts them: another batch may round otherwise.
  using model = await loadModel(trained);
  const [a, b] = await model.predict(files.slice(0, 2));
  expect(jsonLines()).toEqual([
    { file: "-", ...a },
    { file: files[1], ...b },
  ]);
});

it("names what is wrong with bytes from stdin", async () => {
  vi.spyOn(process, "stdin", "get").mockReturnValue(
    Readable.from([Buffer.from("text")]) as typeof process.stdin,
  );
  expect(await run(["predict", trained, "-"])).toBe(1);
  expect(err).toContain("-: is no image of a known format; PNG, JPEG, WebP, GIF and TIFF work");
});

it("stops at Ctrl-C with what is done, and code 130", async () => {
  const listening = process.listenerCount("SIGINT");
  onWrite = () => {
    onWrite = () => {};
    process.emit("SIGINT");
  };
  expect(await run(["predict", trained, ...Array(200).fill(files[0]), "--json"])).toBe(130);
  const done = jsonLines().length;
  expect(done).toBeLessThan(200);
  expect(err).toBe(`stopped: ${done} of 200 images done\n`);
  expect(process.listenerCount("SIGINT")).toBe(listening);
});

it.each([
  [["--generation", "2"], "no generation 2; finished ones: 0 to 1"],
  [["--generations", "0-2"], "no generation 2; finished ones: 0 to 1"],
  [["--generations", "x"], 'generations "x": must look like "0-1"'],
  [["--weights", "1,2"], "--weights is of an ensemble: give its generations by --generations"],
  [["--generations", "0-1", "--weights", "1"], "--weights 1: must be 2 numbers of 0 or more"],
  [["--generation", "0", "--generations", "0-1"], "generation or generations, not both"],
])("calls %j wrong use", async (args, problem) => {
  expect(await run(["predict", trained, files[0]!, ...args])).toBe(2);
  expect(err).toContain(problem);
  expect(out).toBe("");
});

it("keeps control characters of forged class names and file names from the terminal", async () => {
  const odd = join(root, "odd\u001b[31m.png");
  writeFileSync(odd, "x");
  expect(await run(["predict", trained, odd])).toBe(1);
  expect(err).not.toContain("\u001b");
  expect(err).toContain("odd\ufffd[31m.png: is no image");
});
