import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { makeRun } from "../report/fixtures/make-run.js";
import type { TestResult } from "../runs/index.js";
import { run } from "./program.js";
import { useTerminal } from "./testing/terminal.js";

const terminal = useTerminal();

/** Makes a run's folder with accuracies that a test writes down, in percent; the last is the ensemble's. */
async function runOf(directory: string, top1: number[], recipe: Parameters<typeof makeRun>[1] = {}) {
  await makeRun(directory, { generations: 2, finished: 0, ...recipe });
  const ensemble = top1.at(-1)! / 100;
  const generations = top1.slice(0, -1).map((percent, generation) => ({
    generation,
    role: generation === 0 ? "patriarch" : "student",
    test: { top1: percent / 100, nll: 2 } satisfies TestResult,
    trainSeconds: 90,
    weights: `generation-${generation}/weights.safetensors`,
  }));
  const path = join(directory, "summary.json");
  const summary = JSON.parse(readFileSync(path, "utf8"));
  const ensembles = generations.length > 1 ? { "0-1": { test: { top1: ensemble } } } : {};
  writeFileSync(path, JSON.stringify({ ...summary, generations, ensembles }));
}

const tolerant = { patriarch: { k: 5 } };
const strict = { patriarch: "strict" };

/** The runs are made once, and each test has them in its own folder. */
const made = mkdtempSync(join(tmpdir(), "lyceum-cli-compare-"));
beforeAll(async () => {
  const strictRuns = [
    [50, 52, 54],
    [51, 52.6, 54.4],
    [50.4, 52.2, 54.1],
  ];
  const tolerantRuns = [
    [48, 52.5, 54.4],
    [49.4, 53, 54.9],
    [48.3, 52.8, 54.6],
  ];
  for (const seed of [0, 1, 2]) {
    await runOf(join(made, `strict-s${seed}`), strictRuns[seed]!, { ...strict, seed });
    await runOf(join(made, `tolerant-s${seed}`), tolerantRuns[seed]!, { ...tolerant, seed });
  }
});
afterAll(() => rmSync(made, { recursive: true }));
beforeEach(() => cpSync(made, "runs", { recursive: true }));

const all = ["strict", "tolerant"].flatMap((arm) => [0, 1, 2].map((seed) => `runs/${arm}-s${seed}`));
const compare = async (...args: string[]) => {
  Object.assign(terminal, { out: "", err: "" });
  return run(["compare", ...args]);
};

describe("lyceum compare RUN…", () => {
  it("groups runs by recipe, pairs them by seed, and says what they show", async () => {
    expect(await compare(...all)).toBe(0);
    const { out } = terminal;
    expect(out).toContain(
      "The claim that tolerant's line ends higher than strict's holds (top-1 on the test images, 3 seeds).",
    );
    expect(out).toMatch(/^strict +50\.47 ± 0\.50 % \(3\) +52\.27 ± 0\.31 % \(3\) +54\.17 ± 0\.21 % \(3\)$/m);
    // Differences of the last networks: 0.5, 0.4, 0.6; ± 4.3027 · 0.1 / √3.
    expect(out).toMatch(/^tolerant's first student − strict's +\+0\.50 +0\.25 to 0\.75 +0\.013 +3$/m);
    expect(out).toContain("95 % interval over seeds");
    expect(out).toContain("tolerant differs from strict in patriarch.");
    // The order of the runs makes no difference but for the reference, which is the first run's arm.
    expect(await compare(...all.toReversed())).toBe(0);
    expect(terminal.out).toMatch(/^strict's first student − tolerant's +−0\.50 +−0\.75 to −0\.25/m);
    expect(await compare(...all.toReversed(), "--reference", "strict")).toBe(0);
    expect(terminal.out).toMatch(/^tolerant's first student − strict's/m);
  });

  it("finds runs by their names, and prints JSON", async () => {
    expect(await compare(...all.map((path) => basename(path)), "--json")).toBe(0);
    const json = JSON.parse(terminal.out);
    expect(json).toMatchObject({
      metric: "top1",
      unit: "fraction",
      part: "test",
      reference: "strict",
      seeds: [0, 1, 2],
      arms: [
        {
          name: "strict",
          seeds: [0, 1, 2],
          generations: [
            [0.5, 0.52],
            [0.51, 0.526],
            [0.504, 0.522],
          ],
        },
        { name: "tolerant" },
      ],
      claims: [
        { arm: "tolerant", rival: "strict", of: "last", verdict: "holds" },
        { arm: "tolerant", rival: "strict", of: "ensemble", verdict: "holds" },
      ],
      expectations: [],
    });
    const last = json.paired.find(({ generation }: { generation: unknown }) => generation === "last");
    expect(last).toMatchObject({ a: "tolerant", b: "strict", seeds: [0, 1, 2], bootstrap: null });
    expect(last.difference).toBeCloseTo(0.005, 12);
    expect(json.sentences.headline).toHaveLength(2);
  });

  it("exits with 4 where something expected is not shown", async () => {
    expect(await compare(...all, "--expect", "tolerant>strict", "--expect", "tolerant<strict@0")).toBe(0);
    expect(terminal.out).toContain("Expected tolerant>strict: shown; ");
    expect(await compare(...all, "--expect", "tolerant>strict", "--expect", "tolerant>strict+2")).toBe(4);
    expect(terminal.err).toMatch(
      /^lyceum: Expected tolerant>strict\+2: not shown; tolerant's first student is 0\.50 points above/,
    );
    // What was found is printed all the same, for programs too.
    expect(await compare(...all, "--json", "--expect", "strict>tolerant")).toBe(4);
    expect(JSON.parse(terminal.out).expectations).toMatchObject([{ text: "strict>tolerant", shown: false }]);
  });

  it("says which seeds and generations are missing, and how to go on", async () => {
    await runOf("runs/tolerant-s3", [48.2, 0], { ...tolerant, seed: 3 });
    expect(await compare(...all, "runs/tolerant-s3")).toBe(0);
    expect(terminal.out).toContain("13 of 14 networks are trained; 1 is missing, of tolerant (seed 3).");
    expect(terminal.out).toContain(
      "runs/tolerant-s3: 1 of 2 generations is finished; npx lyceum train --resume runs/tolerant-s3 goes on with it.",
    );
    expect(terminal.out).toContain("Only tolerant has a value for seed 3, and strict none: left out.");
  });

  it("compares the held-out images after the last epoch where they were logged", async () => {
    const log = (directory: string, top1: number) => {
      const path = join(directory, "metrics.jsonl");
      const record = {
        generation: 0,
        role: "patriarch",
        epochs: 2,
        learningRate: 0.1,
        trainLoss: 1,
        terms: {},
        trainTop1: 0.5,
        imagesPerSecond: 1,
        seconds: 1,
        date: "2026-11-30",
      };
      const lines = [0.1, top1].map((value, i) =>
        JSON.stringify({ ...record, epoch: i + 1, validation: { loss: 2, top1: value } }),
      );
      writeFileSync(path, `${lines.join("\n")}\n`);
    };
    const data = { name: "synthetic", testCount: 400, trainCount: 500, size: 16, heldOut: 0.1 };
    for (const [name, patriarch, seed, top1] of [
      ["a", "strict", 0, 0.4],
      ["b", "strict", 1, 0.5],
      ["c", { k: 5 }, 0, 0.41],
      ["d", { k: 5 }, 1, 0.52],
    ] as const) {
      await runOf(`runs/${name}`, [50, 0], { patriarch, seed, data, generations: 1 });
      log(`runs/${name}`, top1);
    }
    expect(await compare("a", "b", "c", "d", "--part", "held-out", "--json")).toBe(0);
    const { arms, paired } = JSON.parse(terminal.out);
    expect(arms.map(({ generations }: { generations: unknown }) => generations)).toEqual([
      [[0.4], [0.5]],
      [[0.41], [0.52]],
    ]);
    expect(paired[0].difference).toBeCloseTo(0.015, 12);
    await runOf("runs/e", [50, 0], {
      patriarch: { k: 5 },
      seed: 2,
      data: { ...data, heldOut: 0.2 },
      generations: 1,
    });
    expect(await compare("a", "b", "c", "d", "e", "--part", "held-out")).toBe(1);
    expect(terminal.err).toContain("was validated on other images than");
    expect(terminal.err).toContain("data.heldOut is 0.2 there, 0.1 here");
    expect(await compare(...all, "--part", "held-out")).toBe(1);
    expect(terminal.err).toContain("runs/strict-s0: no images were held out of its training");
  });
});

describe("refuses, with a sentence that names what to do,", () => {
  const refused = async (args: string[], code: number, message: string | RegExp) => {
    expect(await compare(...args)).toBe(code);
    expect(terminal.err).toMatch(message);
    expect(terminal.out).toBe("");
  };

  it("runs on other images, the same run twice, the same recipe and seed twice", async () => {
    await runOf("runs/other", [50, 51, 52], {
      data: { name: "synthetic", testCount: 300, trainCount: 500, size: 16 },
    });
    await refused(
      [...all, "runs/other"],
      1,
      /runs\/other: was tested on other images than runs\/strict-s0 \(data\.testCount is 300 there, 400 here\)/,
    );
    await refused([...all, "./runs/strict-s1/"], 1, /\.\/runs\/strict-s1\/: is given twice/);
    await runOf("runs/again", [50, 51, 52], { ...strict, seed: 1, title: "another title" });
    await refused(
      [...all, "runs/again"],
      1,
      /runs\/again: is the same recipe as runs\/strict-s1 with the same seed, 1/,
    );
  });

  it("runs of one recipe, one run, none that is there", async () => {
    await refused(all.slice(0, 3), 1, /the 3 runs are one recipe with different seeds/);
    await refused(["runs/strict-s0"], 2, /one run has nothing to be compared with: give two or more/);
    await refused(["nothing"], 2, /nothing: there is no such study, neither here nor in results\//);
    await refused(
      ["strict-s0", "strict-s9"],
      2,
      /strict-s9: there is no such run; did you mean "strict-s\d"\?/,
    );
    await refused([], 2, /missing required argument/);
  });

  it("wrong options", async () => {
    await refused([...all, "--metric", "top-1"], 2, /there is no metric "top-1".* did you mean "top1"\?/);
    await refused(
      [...all, "--reference", "strickt"],
      2,
      /there is no arm "strickt".* did you mean "strict"\?/,
    );
    await refused([...all, "--part", "train"], 2, /--part train: must be test or held-out/);
    await refused([...all, "--expect", "tolerant=strict"], 2, /looks like "tolerant>strict"/);
    await refused(
      [...all, "--metric", "top5"],
      1,
      /no network has top5 on the test images; --metric and --part name others/,
    );
  });

  it("a damaged run, by its file", async () => {
    writeFileSync("runs/strict-s1/summary.json", "{");
    await refused(all, 1, /strict-s1\/summary\.json: not JSON/);
  });
});

it("names arms by what the names of their runs share, or by their first run", async () => {
  const arms = async (...paths: string[]) => {
    expect(await compare(...paths, "--json")).toBe(0);
    return JSON.parse(terminal.out).arms.map(({ name }: { name: string }) => name);
  };
  for (const [from, to] of [
    ["runs/strict-s0", "more/strict"],
    ["runs/strict-s1", "more/one"],
    ["runs/tolerant-s0", "more/tolerant_seed-0"],
    ["runs/tolerant-s1", "other/strict"],
  ] as const) {
    mkdirSync(dirname(to), { recursive: true });
    cpSync(from, to, { recursive: true });
  }
  expect(await arms("more/strict", "more/one", "more/tolerant_seed-0")).toEqual(["strict", "tolerant"]);
  expect(await arms("runs/strict-s0", "more/tolerant_seed-0")).toEqual(["strict", "tolerant"]);
  expect(await arms("more/strict", "other/strict")).toEqual(["more/strict", "other/strict"]);
});
