import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { defineMethod } from "../methods/index.js";
import { resolveRecipe } from "../recipe/index.js";
import { describeEnvironment, listRuns, RunFolder, type Summary } from "./index.js";
import { RUN_FORMAT } from "./run-format.js";
import type { EpochRecord } from "./types.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lyceum-list-"));
  return () => rmSync(root, { recursive: true });
});

const test = {
  top1: 0.5,
  top5: 0.9,
  nll: 1,
  ece: 0,
  meanTopScore: 0.5,
  meanSecondaryScore: 0.1,
  scoreByRank: [0.5],
  entropy: 1,
};
const summary = (finished: number): Summary => ({
  format: RUN_FORMAT,
  lyceum: "0.1.0",
  title: "",
  k: 5,
  generations: Array.from({ length: finished }, (_, generation) => ({
    generation,
    role: generation === 0 ? "patriarch" : "student",
    test: { ...test, top1: 0.5 + generation / 10 },
    trainSeconds: 1,
    weights: "",
  })),
  ensembles: finished > 1 ? { [`0-${finished - 1}`]: { test: { top1: 0.75, nll: 1, ece: 0 } } } : {},
  seconds: 1,
});
const epoch = (generation: number, epoch: number): EpochRecord => ({
  generation,
  role: "patriarch",
  epoch,
  epochs: 8,
  learningRate: 0.1,
  trainLoss: 1,
  terms: {},
  trainTop1: 0.5,
  imagesPerSecond: 1,
  seconds: 1,
  date: "",
});

/** Makes a run that began on a day of January. Its folder is still held where `open` is true. */
async function make(
  name: string,
  day: number,
  { finished = 0, epochs = 0, open = false } = {},
): Promise<RunFolder> {
  const recipe = resolveRecipe({
    title: `the ${name}`,
    data: "synthetic",
    model: "resnet8",
    epochs: 8,
    generations: 3,
  });
  const date = `2026-01-${String(day).padStart(2, "0")}T10:00:00.000Z`;
  const environment = { ...(await describeEnvironment({ device: "cpu" })), date };
  const run = await RunFolder.create(join(root, name), recipe, environment);
  if (finished > 0) await run.writeSummary(summary(finished));
  for (let e = 1; e <= epochs; e++) await run.appendMetrics(epoch(finished, e));
  if (!open) await run.close();
  return run;
}

it("says of each run how far it is and what came of it, by the date on which it began", async () => {
  const held = await make("c-training", 3, { finished: 1, epochs: 2, open: true });
  await make("b-unfinished", 2, { epochs: 5 });
  await make("a-finished", 4, { finished: 3 });
  await make("begun", 1);
  await make("sweep/inner", 5, { finished: 2 });
  const base = { data: "synthetic", model: "resnet8" };
  expect(await listRuns(root)).toEqual([
    {
      ...base,
      name: "begun",
      directory: join(root, "begun"),
      state: "unfinished",
      title: "the begun",
      generations: { finished: 0, of: 3 },
      date: "2026-01-01T10:00:00.000Z",
    },
    {
      ...base,
      name: "b-unfinished",
      directory: join(root, "b-unfinished"),
      state: "unfinished",
      title: "the b-unfinished",
      generations: { finished: 0, of: 3 },
      epochs: { done: 5, of: 8 },
      date: "2026-01-02T10:00:00.000Z",
    },
    {
      ...base,
      name: "c-training",
      directory: join(root, "c-training"),
      state: "training",
      title: "the c-training",
      generations: { finished: 1, of: 3 },
      epochs: { done: 2, of: 8 },
      top1: { last: 0.5 },
      date: "2026-01-03T10:00:00.000Z",
    },
    {
      ...base,
      name: "a-finished",
      directory: join(root, "a-finished"),
      state: "finished",
      title: "the a-finished",
      generations: { finished: 3, of: 3 },
      top1: { last: 0.7, ensemble: { generations: "0-2", top1: 0.75 } },
      date: "2026-01-04T10:00:00.000Z",
    },
    {
      ...base,
      name: "sweep/inner",
      directory: join(root, "sweep/inner"),
      state: "unfinished",
      title: "the sweep/inner",
      generations: { finished: 2, of: 3 },
      top1: { last: 0.6, ensemble: { generations: "0-1", top1: 0.75 } },
      date: "2026-01-05T10:00:00.000Z",
    },
  ]);
  await held.close();
});

it("takes a run's own folder for that run", async () => {
  await make("alone", 1);
  expect((await listRuns(join(root, "alone"))).map(({ name }) => name)).toEqual(["alone"]);
});

it("reads the end of a long log, torn lines and all", async () => {
  const run = await make("long", 1, { epochs: 6 });
  const torn = `\n${"x".repeat(3000)}\n{"generation":0,"role":"patriarch","epoch":7,"epo`;
  const record = JSON.stringify({ ...epoch(0, 3), terms: Object.fromEntries(Array(40).entries()) });
  writeFileSync(
    join(run.directory, "metrics.jsonl"),
    `${`${record}\n`.repeat(2000)}${JSON.stringify(epoch(0, 6))}\n${torn}`,
  );
  expect(await listRuns(root)).toMatchObject([{ epochs: { done: 6, of: 8 } }]);
});

it("gives a damaged run its line, with the reason, and goes on", async () => {
  await make("whole", 1);
  for (const name of ["no-recipe", "bad-recipe", "bad-summary", "recipe-folder", "bad-environment"])
    mkdirSync(join(root, name));
  writeFileSync(join(root, "no-recipe/.lock"), "");
  writeFileSync(join(root, "bad-recipe/recipe.yaml"), "model: [");
  mkdirSync(join(root, "recipe-folder/recipe.yaml"));
  for (const name of ["bad-summary", "bad-environment"])
    execFileSync("cp", ["-r", `${root}/whole/.`, join(root, name)]);
  writeFileSync(join(root, "bad-summary/summary.json"), "{");
  writeFileSync(join(root, "bad-environment/environment.json"), '{"date": 7}');
  const pipe = await make("pipe", 2);
  execFileSync("mkfifo", [join(pipe.directory, "metrics.jsonl")]);
  const listed = Object.fromEntries((await listRuns(root)).map((run) => [run.name, run]));
  expect(Object.keys(listed)).toHaveLength(7);
  expect(listed.whole!.state).toBe("unfinished");
  expect(listed.pipe!.state).toBe("unfinished");
  const problems = Object.fromEntries(
    Object.values(listed)
      .filter(({ state }) => state === "damaged")
      .map(({ name, problem }) => [name, problem]),
  );
  expect(problems).toEqual({
    "no-recipe": expect.stringMatching(/^holds no run yet/),
    "bad-recipe": expect.stringMatching(/^recipe.yaml/),
    "bad-summary": expect.stringMatching(/^summary.json: not JSON/),
    "recipe-folder": expect.stringMatching(/recipe.yaml/),
    "bad-environment": expect.stringMatching(/^environment.json: /),
  });
});

it("follows no links to folders, looks into no hidden ones, and takes no other folder for a run", async () => {
  await make("real", 1);
  symlinkSync(join(root, "real"), join(root, "link"));
  symlinkSync(root, join(root, "loop"));
  await make(".hidden", 2);
  mkdirSync(join(root, "empty"));
  mkdirSync(join(root, "notes"));
  writeFileSync(join(root, "notes/readme.txt"), "");
  expect((await listRuns(root)).map(({ name }) => name)).toEqual(["real"]);
});

it.skipIf(process.getuid?.() === 0)(
  "lists a folder that may not be read (not as root, who may)",
  async () => {
    mkdirSync(join(root, "closed"));
    chmodSync(join(root, "closed"), 0);
    expect(await listRuns(root)).toMatchObject([
      { name: "closed", state: "damaged", problem: "may not be read" },
    ]);
  },
);

it("lists 200 runs", async () => {
  const first = await make("run-0", 1, { finished: 3 });
  for (let i = 1; i < 200; i++) execFileSync("cp", ["-r", first.directory, join(root, `run-${i}`)]);
  const listings = await listRuns(root);
  expect(listings).toHaveLength(200);
  expect(new Set(listings.map(({ state }) => state))).toEqual(new Set(["finished"]));
});

it("says so where there is no folder", async () => {
  await expect(listRuns(join(root, "none"))).rejects.toThrow("ENOENT");
});

it("lists runs whose recipes name what Lyceum does not define, and says what they need", async () => {
  const environment = await describeEnvironment({ device: "cpu" });
  const data = { name: "synthetic", size: 8 };
  const own = defineMethod({
    name: "own",
    summary: "",
    formula: "",
    terms: {},
    options: (z) => ({ weight: z.number() }),
    loss: () => {
      throw new Error("nobody trains here");
    },
  });
  const input = {
    data,
    model: "resnet8",
    patriarch: { method: own, weight: 1 },
    student: { method: own, weight: 2 },
  };
  const recipe = resolveRecipe(input);
  await (await RunFolder.create(join(root, "by-code"), recipe, environment)).close();
  const imports = [{ file: "../own.mjs", sha256: "0".repeat(64) }];
  await (await RunFolder.create(join(root, "by-file"), recipe, { ...environment, imports })).close();
  const ours = resolveRecipe({ data: "my-photos", model: "my-net", optimizer: "adamw" });
  await (await RunFolder.create(join(root, "images"), ours, environment)).close();
  const listed = Object.fromEntries((await listRuns(root)).map((run) => [run.name, run]));
  expect(listed["by-code"]).toMatchObject({ state: "unfinished", note: "made by code that defines own" });
  expect(listed["by-file"]).toMatchObject({ state: "unfinished", note: "needs --import ../own.mjs" });
  expect(listed.images).toMatchObject({
    data: "my-photos",
    note: "made by code that defines my-photos, my-net",
  });

  // Everything else in the recipe is checked as ever.
  const path = join(root, "by-code/recipe.yaml");
  writeFileSync(path, readFileSync(path, "utf8").replace("epochs:", "epoch:"));
  expect((await listRuns(join(root, "by-code")))[0]).toMatchObject({
    state: "damaged",
    problem: expect.stringMatching(/^recipe.yaml:\d+: epoch: unknown key; did you mean "epochs"/),
  });
});
