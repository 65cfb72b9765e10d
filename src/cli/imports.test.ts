/** Tests `--import`, by which methods, networks and data sets come from a file outside of Lyceum. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { beforeEach, describe, expect, test } from "vitest";
import { run } from "./program.js";
import { useTerminal } from "./testing/terminal.js";

const examples = fileURLToPath(new URL("../../examples", import.meta.url));
const terminal = useTerminal();
beforeEach(() => {
  writeFileSync(
    "small.yaml",
    "data: { name: synthetic, size: 8, classes: 5, channels: 1, trainCount: 64, testCount: 40 }\n" +
      "model: resnet8\npatriarch: { k: 3 }\ngenerations: 3\nepochs: 1\nbatchSize: 16\n",
  );
});

const metrics = (name: string) =>
  readFileSync(`runs/${name}/metrics.jsonl`, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe.each([
  ["penalty", "student={method: modest, penalty: 0.2}", ["hard", "soft", "excess"], "method: modest"],
  ["two-teachers", "student=two-teachers", ["hard", "soft"], "method: two-teachers"],
])("examples/%s.ts", (name, set, terms, stored) => {
  const file = join(examples, `${name}.ts`);

  test("is one file of under 40 lines", () => {
    expect(readFileSync(file, "utf8").trimEnd().split("\n").length).toBeLessThan(40);
  });

  test("trains, reports, evaluates and goes on by name", async () => {
    const train = ["train", "small.yaml", "--name", "mine", "--import", file, "--set", set];
    expect(await run(train), terminal.err).toBe(0);
    expect(metrics("mine").map((record) => Object.keys(record.terms))).toEqual([
      ["hard", "topScoreDifference"],
      terms,
      terms,
    ]);
    expect(readFileSync("runs/mine/recipe.yaml", "utf8")).toContain(stored);
    const environment = JSON.parse(readFileSync("runs/mine/environment.json", "utf8"));
    expect(environment.imports).toEqual([{ file, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect(readFileSync("runs/mine/report.html", "utf8")).toContain("labels (cross-entropy)");

    terminal.out = "";
    expect(await run(["evaluate", "mine", "--import", file]), terminal.err).toBe(0);
    expect(terminal.out).toMatch(/the same as the training stored\n$/);
    expect(await run(["report", "mine", "--import", file]), terminal.err).toBe(0);
    expect(await run(["train", "--resume", "mine", "--import", file]), terminal.err).toBe(0);

    // Neither the list nor a network of Lyceum's own needs the method.
    terminal.out = "";
    expect(await run(["runs"])).toBe(0);
    expect(terminal.out).toMatch(/^mine +finished .* needs --import .*\n$/m);
    await sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } }).toFile("red.png");
    expect(await run(["predict", "mine", "red.png"]), terminal.err).toBe(0);

    for (const command of [
      ["evaluate", "mine"],
      ["report", "mine"],
      ["train", "--resume", "mine"],
    ]) {
      terminal.err = "";
      expect(await run(command)).not.toBe(0);
      expect(terminal.err, command.join(" ")).toContain(`--import ${file}`);
    }
  });
});

test("a network and a data set of one's own are known by name too", async () => {
  const file = resolve("mine.js");
  writeFileSync(
    file,
    `import { data, defineDataset, defineModel, nn } from "lyceum";
class Tiny extends nn.Module {
  constructor({ channels, classes, generator }) {
    super();
    this.conv = new nn.Conv2d(channels, 4, 3, { generator });
    this.fc = new nn.Linear(4, classes, { generator });
  }
  forward(x) { return this.fc.forward(this.conv.forward(x).relu().mean([2, 3])); }
}
export const tiny = defineModel({ name: "tiny", summary: "One convolution.", construction: "conv, ReLU, mean, fc",
  create: (options) => new Tiny(options) });
export const spots = defineDataset({ name: "spots", summary: "Drawn shapes.", augment: { crop: false, flip: false },
  classCount: () => 5, from: { make: () => ({ ...data.makeSynthetic({ classes: 5, size: 8, trainCount: 32, testCount: 20 }), name: "spots" }) } });
`,
  );
  writeFileSync(
    "own.yaml",
    "data: spots\nmodel: tiny\npatriarch: { k: 3 }\ngenerations: 2\nepochs: 1\nbatchSize: 16\n",
  );
  expect(await run(["train", "own.yaml"])).toBe(2);
  expect(terminal.err).toContain('given "spots"');
  expect(await run(["train", "own.yaml", "--import", file]), terminal.err).toBe(0);
  expect(readFileSync("runs/own/recipe.yaml", "utf8")).toContain("crop: 0\n  flip: false");
  expect(await run(["evaluate", "own", "--import", file]), terminal.err).toBe(0);
});

describe("what cannot be imported is named, with the way out", () => {
  test.each([
    ["missing.js", undefined, "there is no such file"],
    ["broken.js", "export const = 1", "cannot be loaded"],
    ["throws-null.js", "throw null;", "cannot be loaded: null"],
    ["throws-text.js", 'throw "a text";', "cannot be loaded: a text"],
    [
      "trap.js",
      'export const trap = { get kind() { throw new Error("a trap"); } };',
      "an export cannot be read: a trap",
    ],
    ["empty.js", "export const x = 1;", "exports nothing that a recipe can name"],
    [
      "looks.js",
      'export const looks = { kind: "method", name: "looks" };',
      "exports nothing that a recipe can name",
    ],
    [
      "taken.js",
      'export const mine = { kind: "method", name: "strict", summary: "", formula: "", terms: {}, loss() {} };',
      'two methods called "strict"',
    ],
  ])("%s", async (name, text, message) => {
    if (text !== undefined) writeFileSync(name, text);
    expect(await run(["train", "small.yaml", "--import", `./${name}`])).not.toBe(0);
    expect(terminal.err).toContain(message);
    expect(existsSync("runs")).toBe(false);
  });

  test("a folder", async () => {
    mkdirSync("folder");
    expect(await run(["train", "small.yaml", "--import", "folder"])).toBe(2);
    expect(terminal.err).toContain("--import folder: is a folder; give a file in it");
  });

  test("a file that ends the process while it is loaded", async () => {
    writeFileSync("ends.js", "globalThis.whoListens = process.listeners('exit');");
    const before = new Set<unknown>(process.listeners("exit"));
    await run(["train", "small.yaml", "--import", "./ends.js"]);
    const { whoListens } = globalThis as unknown as { whoListens: (() => void)[] };
    const [listener] = whoListens.filter((one) => !before.has(one));
    terminal.err = "";
    // As Node does when the module has called process.exit(0), or waits for nothing.
    listener!();
    expect(terminal.err).toBe("lyceum: --import ./ends.js: the process ended while the file was loaded\n");
    expect(process.exitCode).toBe(2);
    process.exitCode = undefined;
    expect(process.listeners("exit").filter((one) => !before.has(one))).toEqual([]);
  });

  test("a file that was changed since the run began", async () => {
    copyFileSync(join(examples, "penalty.ts"), "penalty.ts");
    const given = ["--import", resolve("penalty.ts")];
    expect(
      await run(["train", "small.yaml", "--name", "mine", ...given, "--set", "student=modest"]),
      terminal.err,
    ).toBe(0);
    writeFileSync("penalty.ts", `${readFileSync("penalty.ts", "utf8")}\n// changed\n`);
    expect(await run(["train", "--resume", "mine", ...given])).toBe(1);
    expect(terminal.err).toContain("is not the file that the run began with");
  });
});
