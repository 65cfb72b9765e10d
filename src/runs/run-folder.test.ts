import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { defineMethod } from "../methods/index.js";
import { resolveRecipe } from "../recipe/index.js";
import { describeEnvironment, lyceumVersion, RunFolder } from "./index.js";
import { RUN_FORMAT } from "./run-format.js";
import type { Summary } from "./types.js";

const recipe = resolveRecipe({ title: "a trial", data: "synthetic", generations: 2 });
let directory: string;
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), "lyceum-run-")), "run");
});
const create = async () => RunFolder.create(directory, recipe, await describeEnvironment({ device: "cpu" }));

const summary = (generations: number): Summary => ({
  format: RUN_FORMAT,
  lyceum: lyceumVersion(),
  title: "a trial",
  k: 5,
  generations: Array.from({ length: generations }, (_, generation) => ({
    generation,
    role: generation === 0 ? "patriarch" : "student",
    test: {
      top1: 0.9,
      top5: 0.99,
      nll: 0.3,
      ece: 0.01,
      meanTopScore: 0.8,
      meanSecondaryScore: 0.05,
      scoreByRank: [0.8, 0.1],
      entropy: 0.6,
    },
    trainSeconds: 1,
    weights: `generation-${generation}/weights.safetensors`,
  })),
  ensembles: generations > 1 ? { "0-1": { test: { top1: 0.91, nll: 0.2, ece: 0.02 } } } : {},
  seconds: 2,
});

test("a new run stores the resolved recipe and the environment", async () => {
  const run = await create();
  expect(readdirSync(directory).sort()).toEqual([".lock", "environment.json", "recipe.yaml"]);
  await run.close();
  const opened = await RunFolder.open(directory);
  expect(opened.recipe).toEqual(recipe);
  const environment = (await opened.readEnvironment())!;
  expect(environment).toMatchObject({ node: process.version, device: "cpu", resumed: [] });
  expect(environment.machine.cores).toBeGreaterThan(0);
  expect(readdirSync(directory).sort()).toEqual(["environment.json", "recipe.yaml"]);
});

test("never starts in a folder that holds something", async () => {
  await (await create()).close();
  await expect(create()).rejects.toThrow(`${directory}: is not empty`);
});

describe("a folder whose run was killed before its recipe was written", () => {
  const leave = (...files: string[]) => {
    mkdirSync(directory, { recursive: true });
    for (const file of files) writeFileSync(join(directory, file), "");
  };

  test.each([
    [[".lock", ".recipe.yaml.4242.0badcafe.tmp"]],
    [[".lock", "environment.json", ".recipe.yaml.4242.0badcafe.tmp"]],
    [[".environment.json.4242.0badcafe.tmp", ".lock.4242.0badcafe"]],
  ])("is begun anew: %j", async (files) => {
    leave(...files);
    expect(await RunFolder.isBegun(directory)).toBe(false);
    expect(await RunFolder.isFree(directory)).toBe(true);
    const run = await create();
    expect(readdirSync(directory).sort()).toEqual([".lock", "environment.json", "recipe.yaml"]);
    await run.close();
    expect(await RunFolder.isBegun(directory)).toBe(true);
    expect(await RunFolder.isFree(directory)).toBe(false);
  });

  test("says so when it is to be gone on with", async () => {
    leave(".lock", ".recipe.yaml.4242.0badcafe.tmp");
    const going = RunFolder.resume(directory, await describeEnvironment({ device: "cpu" }));
    await expect(going).rejects.toThrow("holds no run yet: it was stopped before its recipe was written");
  });

  test("is not taken from a process that is at work in it, nor with anybody's file in it", async () => {
    const run = await create();
    rmSync(join(directory, "recipe.yaml"));
    await expect(create()).rejects.toThrow(/is at work in this folder/);
    await run.close();
    leave("notes.txt");
    await expect(create()).rejects.toThrow("is not empty");
  });
});

test("a run of another recipe is told apart, by the keys that differ", async () => {
  await (await create()).close();
  const other = resolveRecipe({ data: "synthetic", generations: 9, epochs: 3, seed: 4 });
  expect(() => RunFolder.checkSame(directory, recipe, recipe)).not.toThrow();
  expect(() => RunFolder.checkSame(directory, recipe, other)).toThrow(
    /which differs in (epochs, seed|seed, epochs):/,
  );
});

describe("a run that imported a file", () => {
  const imported = { file: "./mine.js", sha256: "a".repeat(64) };
  const begin = async () => {
    const environment = { ...(await describeEnvironment({ device: "cpu" })), imports: [imported] };
    await (await RunFolder.create(directory, recipe, environment)).close();
  };

  test("asks for it by name, and refuses another one", async () => {
    await begin();
    const environment = await describeEnvironment({ device: "cpu" });
    await expect(RunFolder.resume(directory, environment)).rejects.toThrow(
      "was made with --import ./mine.js: give that file again",
    );
    const changed = { file: "/else/mine.js", sha256: "b".repeat(64), definitions: [] };
    await expect(RunFolder.resume(directory, environment, [changed])).rejects.toThrow(
      "/else/mine.js is not the file that the run began with",
    );
    const moved = { ...imported, file: "/else/mine.js", definitions: [] };
    await (await RunFolder.resume(directory, environment, [moved])).close();
  });
});

test.each([
  [undefined, /format 1.*train anew/s],
  [99, /format 99.*a newer one/s],
])("a summary of format %s is refused, with the version that reads it", async (format, message) => {
  await (await create()).close();
  writeFileSync(join(directory, "summary.json"), JSON.stringify({ ...summary(1), format, lyceum: "9.9.9" }));
  const run = await RunFolder.open(directory);
  await expect(run.readSummary()).rejects.toThrow(message);
  await expect(run.readSummary()).rejects.toThrow(
    /summary\.json: is in format .*, written by Lyceum 9\.9\.9/,
  );
});

describe("versions", () => {
  const written = async (version: string) => {
    const run = await create();
    await run.writeSummary(summary(1));
    await run.close();
    const path = join(directory, "summary.json");
    const here = `"lyceum": "${lyceumVersion()}"`;
    writeFileSync(path, readFileSync(path, "utf8").replace(here, `"lyceum": "${version}"`));
  };
  const resume = async () => RunFolder.resume(directory, await describeEnvironment({ device: "cpu" }));

  test("a newer version that may have changed what files mean is not read", async () => {
    await written("9.9.9");
    const message = `summary.json: was written by Lyceum 9.9.9, and this is ${lyceumVersion()}, an older one: read it with Lyceum 9.9.9`;
    await expect((await RunFolder.open(directory)).readSummary()).rejects.toThrow(message);
    await expect(resume()).rejects.toThrow(message);
  });

  test("one that has not is read, and only goes on itself", async () => {
    const later = lyceumVersion().replace(/\d+$/, (patch) => String(Number(patch) + 1));
    await written(later);
    const run = await RunFolder.open(directory);
    expect((await run.readSummary())!.generations).toHaveLength(1);
    await expect(resume()).rejects.toThrow(
      `${directory}/summary.json: Lyceum ${later} has worked on this run`,
    );
    await expect(run.changeSummary((same) => same)).rejects.toThrow(`go on with Lyceum ${later}`);
  });

  test("an earlier one is gone on with, and the note says that bits may differ", async () => {
    await written("0.0.1");
    const path = join(directory, "environment.json");
    const environment = JSON.parse(readFileSync(path, "utf8"));
    const before = { ...environment, lyceum: "0.0.1", commit: "abc", threads: 99 };
    writeFileSync(path, JSON.stringify(before));
    const run = await resume();
    expect(run.notes).toHaveLength(1);
    expect(run.notes[0]).toMatch(
      /^the run goes on with Lyceum .*\(before: Lyceum 0.0.1 at commit abc\), \d+ threads? \(before: 99 threads\): from here on its numbers need not be/,
    );
    await run.close();
    const again = await resume();
    expect(again.notes).toEqual([]);
    await again.close();
  });
});

test("going on finds a summary whose numbers are not those that were written", async () => {
  const run = await create();
  await run.writeSummary(summary(2));
  await run.close();
  const path = join(directory, "summary.json");
  const sound = readFileSync(path, "utf8");
  const resume = async () => RunFolder.resume(directory, await describeEnvironment({ device: "cpu" }));
  writeFileSync(path, sound.replace('"top1": 0.9,', '"top1": 0.8,'));
  await expect(resume()).rejects.toThrow(`${path}: damaged: its numbers are not those that were written`);
  // Times decide nothing, and a person who changes numbers on purpose takes the checksum out.
  writeFileSync(path, sound.replace('"seconds": 2', '"seconds": 3'));
  await (await resume()).close();
  const { checksum: _, ...open } = JSON.parse(sound.replace('"top1": 0.9,', '"top1": 0.8,'));
  writeFileSync(path, JSON.stringify(open));
  await (await resume()).close();
});

test("going on says which epochs the log lacks", async () => {
  const run = await create();
  const epoch = (generation: number, epoch: number) => ({
    ...{ generation, role: "patriarch" as const, epoch, epochs: 2, learningRate: 0.1, trainLoss: 1 },
    ...{ terms: {}, trainTop1: 0.5, imagesPerSecond: 100, seconds: 1, date: "2026-01-01T00:00:00.000Z" },
  });
  for (const [g, e] of [[0, 1], [0, 2], [1, 1]] as const) await run.appendMetrics(epoch(g, e)); // biome-ignore format: a table
  expect(await run.epochsLackingInLog([2], 1)).toEqual([]);
  const path = join(directory, "metrics.jsonl");
  writeFileSync(path, readFileSync(path, "utf8").replace('"epoch":2', '"epoch":3'));
  expect(await run.epochsLackingInLog([2], 3)).toEqual([
    `${path}: lacks epoch 2 of generation 0, 2 of generation 1, 3 of generation 1 (damaged: line 2): the report's curves lack them ` +
      "too, and nothing else depends on them",
  ]);
  await run.close();
});

test("nothing is written where the folder was taken away, or another process has taken the lock over", async () => {
  const run = await create();
  const lock = join(directory, ".lock");
  const held = readFileSync(lock);
  rmSync(lock);
  await expect(run.writeSummary(summary(1))).rejects.toThrow("was this process's own, and it is gone");
  writeFileSync(lock, held);
  await expect(run.writeSummary(summary(1))).rejects.toThrow("has taken it");
  rmSync(directory, { recursive: true });
  await expect(run.writeSummary(summary(1))).rejects.toThrow(
    `${directory}: the run's folder is gone, and with it what was trained: if it was moved, go on with it there`,
  );
  await run.close();
});

test("the summary comes back as it was written; status follows it", async () => {
  const run = await create();
  expect(await run.status()).toEqual({ state: "training", finished: 0, generations: 2 });
  expect(await run.readSummary()).toBeUndefined();
  await run.writeSummary(summary(1));
  await run.close();
  expect(await run.status()).toEqual({ state: "unfinished", finished: 1, generations: 2 });
  await run.writeSummary(summary(2));
  expect(await run.readSummary()).toEqual(summary(2));
  expect(await run.status()).toEqual({ state: "finished", finished: 2, generations: 2 });
});

test("a summary without k says who reads it; one without a metric that joined later is read", async () => {
  const run = await create();
  const { k: _, ...older } = summary(1);
  writeFileSync(join(directory, "summary.json"), JSON.stringify(older));
  await expect(run.readSummary()).rejects.toThrow(
    /summary\.json: k: is not there, .* an earlier version wrote/,
  );
  const { entropy: __, ...test } = summary(1).generations[0]!.test;
  const lacking = { ...summary(1), generations: [{ ...summary(1).generations[0]!, test }] };
  await run.writeSummary(lacking);
  expect(await run.readSummary()).toEqual(lacking);
  await run.close();
});

test("going on notes the new sitting, and two cannot", async () => {
  await (await create()).close();
  const environment = await describeEnvironment({ device: "cuda" });
  const run = await RunFolder.resume(directory, environment);
  await expect(RunFolder.resume(directory, environment)).rejects.toThrow(/is at work in this folder/);
  expect((await run.readEnvironment())!.resumed).toEqual([environment]);
  expect((await run.readEnvironment())!.device).toBe("cpu");
  await run.close();
});

test("going on clears away what a killed process had half written, and nothing else", async () => {
  await (await create()).close();
  const generation = join(directory, "generation-0");
  mkdirSync(generation);
  const torn = [".summary.json.4242.0badcafe.tmp", "generation-0/weights.safetensors.4242.tmp"];
  const own = ["notes.tmp", "generation-0/weights.safetensors"];
  for (const file of [...torn, ...own]) writeFileSync(join(directory, file), "");
  const environment = await describeEnvironment({ device: "cpu" });
  await (await RunFolder.resume(directory, environment)).close();
  expect([...torn, ...own].filter((file) => existsSync(join(directory, file)))).toEqual(own);
});

test("going on works without environment.json", async () => {
  await (await create()).close();
  rmSync(join(directory, "environment.json"));
  const run = await RunFolder.resume(directory, await describeEnvironment({ device: "cpu" }));
  expect((await run.readEnvironment())!.resumed).toHaveLength(1);
  await run.close();
});

test("going on never mixes two recipes; a longer line is the same one", async () => {
  await (await create()).close();
  const environment = await describeEnvironment({ device: "cpu" });
  const path = join(directory, "recipe.yaml");
  const change = (from: string, to: string) =>
    writeFileSync(path, readFileSync(path, "utf8").replace(from, to));
  change("generations: 2", "generations: 7");
  const run = await RunFolder.resume(directory, environment);
  expect(run.recipe.generations).toBe(7);
  await run.close();
  change("epochs: 164", "epochs: 165");
  await expect(RunFolder.resume(directory, environment)).rejects.toThrow(
    /recipe.yaml is not what the run began with/,
  );
});

test("a folder that cannot be used is not held on to", async () => {
  await (await create()).close();
  const environment = await describeEnvironment({ device: "cpu" });
  writeFileSync(join(directory, "environment.json"), "[]");
  await expect(RunFolder.resume(directory, environment)).rejects.toThrow("environment.json");
  rmSync(join(directory, "environment.json"));
  await (await RunFolder.resume(directory, environment)).close();
});

test("a run of code's own network and images opens", async () => {
  const own = resolveRecipe({ data: "my-images", model: "my-net" });
  await (await RunFolder.create(directory, own, await describeEnvironment({ device: "cpu" }))).close();
  expect((await RunFolder.open(directory)).recipe).toEqual(own);
});

test("a generation's files follow from its number", async () => {
  const run = await create();
  expect(run.generation(3).weights).toBe(join(directory, "generation-3", "weights.safetensors"));
  expect(() => run.generation(-1)).toThrow(RangeError);
  expect(() => run.generation("../x" as unknown as number)).toThrow(RangeError);
  mkdirSync(run.generation(0).checkpoint, { recursive: true });
  await run.removeCheckpoint(0);
  expect(readdirSync(run.generation(0).directory)).toEqual([]);
  await run.close();
});

describe("what is no run says what is missing", () => {
  test("no folder, a file, a folder without recipe", async () => {
    await expect(RunFolder.open(directory)).rejects.toThrow(
      `${directory}: is not a run: there is no such folder`,
    );
    writeFileSync(directory, "");
    await expect(RunFolder.open(directory)).rejects.toThrow(`${directory}: is not a run: not a folder`);
    rmSync(directory);
    mkdirSync(directory);
    await expect(RunFolder.open(directory)).rejects.toThrow(
      `${directory}: is not a run: it holds no recipe.yaml`,
    );
  });
});

describe("a hostile run folder", () => {
  test.each([
    ["summary.json", "{"],
    ["summary.json", '{"generations": 1}'],
    ["summary.json", JSON.stringify({ ...summary(1), ensembles: { "../../etc": {} } })],
    ["summary.json", JSON.stringify({ ...summary(2), generations: summary(2).generations.reverse() })],
    ["summary.json", `"${"x".repeat(5 * 1024 * 1024)}"`],
    ["environment.json", "[]"],
  ])("%s holding %.40s is an error that names the file", async (name, content) => {
    await (await create()).close();
    writeFileSync(join(directory, name), content);
    const run = await RunFolder.open(directory);
    const read = name === "summary.json" ? run.readSummary() : run.readEnvironment();
    await expect(read).rejects.toThrow(join(directory, name));
  });

  test.each(["metrics.jsonl", "generation-0", "generation-1/checkpoint"])(
    "a link at %s never leads what is written or removed out of it",
    async (name) => {
      await (await create()).close();
      mkdirSync(join(directory, "generation-1"));
      symlinkSync(mkdtempSync(join(tmpdir(), "lyceum-other-")), join(directory, name));
      const going = RunFolder.resume(directory, await describeEnvironment({ device: "cpu" }));
      await expect(going).rejects.toThrow(/is a link/);
      await expect(RunFolder.open(directory)).resolves.toBeDefined();
    },
  );

  test("its recipe is checked as any other", async () => {
    await (await create()).close();
    writeFileSync(
      join(directory, "recipe.yaml"),
      `${readFileSync(join(directory, "recipe.yaml"))}epoch: 1\n`,
    );
    await expect(RunFolder.open(directory)).rejects.toThrow(/recipe.yaml:\d+: epoch: unknown key/);
  });
});

test("a run whose method only code defines says how to give it", async () => {
  const own = defineMethod({
    name: "own",
    summary: "",
    formula: "",
    terms: {},
    loss: () => {
      throw new Error("nobody trains here");
    },
  });
  const recipe = resolveRecipe({ data: "synthetic", student: own });
  await (await RunFolder.create(directory, recipe, await describeEnvironment({ device: "cpu" }))).close();
  await expect(RunFolder.open(directory)).rejects.toThrow(
    /student.method: must be .*, given "own"\nIf code made the run and defines own itself: give .* `imports`/,
  );
  expect((await RunFolder.open(directory, [own])).recipe).toEqual(recipe);
  expect((await RunFolder.look(directory)).recipe).toEqual(recipe);
});
