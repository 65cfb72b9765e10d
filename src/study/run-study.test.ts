import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Interrupted, trainGenerations } from "../generations/index.js";
import { findStudyFolder } from "./find-study-folder.js";
import { openStudy } from "./open-study.js";
import {
  type BeginStudyOptions,
  beginStudy,
  runStudy,
  type WorkAtStudyOptions,
  workAtStudy,
} from "./run-study.js";
import { checkStudy } from "./study-file.js";
import { tinyStudy, writeStudy } from "./testing/tiny-study.js";
import type { WorkEvent } from "./work.js";

/** Trains what is left of a study, and gives the names of the networks that were trained. */
async function work(
  path: string,
  directory: string,
  options: BeginStudyOptions & WorkAtStudyOptions = {},
): Promise<string[]> {
  const trained: string[] = [];
  const onEvent = (event: WorkEvent) => {
    options.onEvent?.(event);
    if (event.type === "waiting") return;
    const { arms, seed, generation } = event.network;
    if (event.type === "failed") throw new Error(event.message);
    if (event.type === "finished") trained.push(`${arms[0]} ${seed} ${generation}`);
  };
  const begun = await beginStudy(path, directory, options);
  const failures = await workAtStudy(begun, { ...options, onEvent });
  expect([...failures.values()]).toEqual([]);
  return trained;
}

/** The numbers of a study, without the times that they took. */
async function numbersOf(directory: string) {
  const { arms } = await openStudy(directory);
  return arms.map(({ name, lines }) => [
    name,
    lines.map(({ networks, ensembles }) => [
      networks.map((network) => [network?.fingerprint, network?.test, network?.heldOut]),
      ensembles,
    ]),
  ]);
}

/** A study that was trained in one go; tests work on copies. */
let whole: { path: string; directory: string };
beforeAll(async () => {
  whole = writeStudy();
  await work(whole.path, whole.directory);
});

function copyOf({ path, directory }: typeof whole): typeof whole {
  const folder = mkdtempSync(join(tmpdir(), "lyceum-study-"));
  cpSync(join(path, "..", ".."), folder, { recursive: true });
  return {
    path: join(folder, "studies", "tiny.yaml"),
    directory: join(folder, "results", directory.split("/").at(-1)!),
  };
}

it("trains the very networks that `trainGenerations` does", async () => {
  const [, tolerant] = checkStudy(tinyStudy).arms;
  const run = await trainGenerations({ ...tolerant!.recipe, seed: 1 });
  const { arms } = await openStudy(whole.directory);
  const line = arms[1]!.lines[1]!;
  for (const [i, { test }] of run.generations.entries()) expect(line.networks[i]!.test).toEqual(test);
  // The ensemble is made of scores in float16, of which the images are few: its accuracy is that of the whole scores.
  expect(line.ensembles["0-1"]!.test!.top1).toBe(run.ensembles["0-1"]!.test.top1);
  expect(line.ensembles["0-1"]!.test!.nll).toBeCloseTo(run.ensembles["0-1"]!.test.nll!, 3);
});

it("has nothing left to train once it is finished, and keeps no weights in its results", async () => {
  expect(await work(whole.path, whole.directory)).toEqual([]);
  const files = readdirSync(join(whole.directory, "networks"));
  expect(files).toHaveLength(20);
  expect(files.filter((name) => name.includes("weights"))).toEqual([]);
  expect((await openStudy(whole.directory)).trained).toEqual({ done: 10, of: 10 });
});

describe("a study that goes on elsewhere", () => {
  it("needs only its small files, and ends with the same numbers", async () => {
    const here = writeStudy();
    const controller = new AbortController();
    let finished = 0;
    await work(here.path, here.directory, {
      signal: controller.signal,
      onEvent: ({ type }) => {
        if (type === "finished" && ++finished === 3) controller.abort();
      },
    });
    const there = copyOf(here);
    rmSync(join(there.directory, ".work"), { recursive: true });
    expect(await work(there.path, there.directory)).toHaveLength(7);
    expect(await numbersOf(there.directory)).toEqual(await numbersOf(whole.directory));
  });

  it("trains a teacher again where only its weights are missing, and leaves its numbers as they were", async () => {
    const here = copyOf(whole);
    rmSync(join(here.directory, ".work"), { recursive: true });
    const { arms } = await openStudy(here.directory);
    const { fingerprint } = arms[1]!.lines[0]!.networks[1]!;
    const lost = join(here.directory, "networks", `${fingerprint.slice(0, 16)}.json`);
    rmSync(lost);
    expect(await work(here.path, here.directory)).toEqual(["tolerant 0 0", "tolerant 0 1"]);
    expect(await numbersOf(here.directory)).toEqual(await numbersOf(whole.directory));
  });

  it("can be cut into parts, which together are the whole", async () => {
    const here = writeStudy();
    for (const shard of [1, 2]) await work(here.path, here.directory, { shard: { shard, of: 2 } });
    expect(await numbersOf(here.directory)).toEqual(await numbersOf(whole.directory));
  });
});

it("goes on within an epoch after a stop, to the same bits", async () => {
  const here = writeStudy();
  for (let stops = 0; stops < 4; stops++) {
    const controller = new AbortController();
    const onEvent = ({ type }: WorkEvent) => {
      if (type === "begun") setTimeout(() => controller.abort(), 15 * stops);
    };
    await work(here.path, here.directory, { signal: controller.signal, onEvent });
  }
  await work(here.path, here.directory);
  expect(await numbersOf(here.directory)).toEqual(await numbersOf(whole.directory));
});

describe("a change of the file", () => {
  const changed = {
    ...tinyStudy,
    seeds: [0, 1, 2],
    arms: { ...tinyStudy.arms, tolerant: { patriarch: { k: 4 } } },
  };

  it("is refused in words that say what changed and what still counts", async () => {
    const here = copyOf(whole);
    writeFileSync(here.path, JSON.stringify(changed));
    await expect(beginStudy(here.path, here.directory)).rejects.toThrow(
      /tiny\.yaml: has changed since the study began: seeds \(0, 1 before, 0, 1, 2 now\), arm tolerant\. 6 of 10 finished networks still count, and none is removed: go on by --amend, or put the file back \(.*study\.yaml is as it was\)/,
    );
  });

  it("of the base is told key by key, with what each was and is", async () => {
    const here = copyOf(whole);
    const { base } = tinyStudy;
    writeFileSync(here.path, JSON.stringify({ ...tinyStudy, base: { ...base, epochs: 3, clipNorm: 1 } }));
    await expect(beginStudy(here.path, here.directory)).rejects.toThrow(
      /began: base\.epochs \(2 before, 3 now\), base\.clipNorm \(left out before, 1 now\)\. 0 of 10/,
    );
  });

  it("keeps what still counts, and says so ever after", async () => {
    const here = copyOf(whole);
    writeFileSync(here.path, JSON.stringify({ ...changed, seeds: [0, 1] }));
    expect(await work(here.path, here.directory, { amend: true })).toHaveLength(4);
    const { notes } = await openStudy(here.directory);
    expect(notes.join("\n")).toMatch(
      /4 networks here are kept and not counted: .*json is of a recipe that no arm/,
    );
    expect(notes.join("\n")).toMatch(
      /The study was changed after it began \(\d{4}-\d\d-\d\d: arm tolerant\)/,
    );
  });
});

describe("a damaged or foreign file", () => {
  const first = (directory: string) => {
    const name = readdirSync(join(directory, "networks")).find((one) => one.endsWith(".json"))!;
    return join(directory, "networks", name);
  };

  it.each([
    ["torn", (text: string) => text.slice(0, 200), /[0-9a-f]{16}\.json: not JSON/],
    [
      "edited",
      (text: string) => text.replace('"generation":', '"generation": 1'),
      /its fingerprint is not that of what it says was trained/,
    ],
    ["of nothing", () => "{}", /json: format: /],
    ["too large", () => " ".repeat(5_000_000), /json: 5000000 bytes, but at most 4194304 are expected/],
    [
      "nested without end",
      (text: string) => text.replace('"recipe":{', `"recipe":{"x":${"[".repeat(1e5)}${"]".repeat(1e5)},`),
      /[0-9a-f]{16}\.json: its fingerprint is not that of/,
    ],
  ])(
    "that is %s stops the study in words that name it and the remedy, and loses nothing",
    async (_, damage, message) => {
      const here = copyOf(whole);
      const path = first(here.directory);
      writeFileSync(path, damage(readFileSync(path, "utf8")));
      const before = readdirSync(join(here.directory, "networks"));
      for (const attempt of [() => beginStudy(here.path, here.directory), () => openStudy(here.directory)]) {
        await expect(attempt()).rejects.toThrow(message);
        await expect(attempt()).rejects.toThrow(/remove it: `lyceum study` then trains this network again/);
      }
      expect(readdirSync(join(here.directory, "networks"))).toEqual(before);
      rmSync(path);
      // Where it is a student, its teacher gives its weights once more.
      expect([1, 2]).toContain((await work(here.path, here.directory)).length);
      expect(await numbersOf(here.directory)).toEqual(await numbersOf(whole.directory));
    },
  );

  it("that is a link to nothing is named with its remedy", async () => {
    const here = copyOf(whole);
    const path = first(here.directory);
    rmSync(path);
    symlinkSync("/nowhere/at/all", path);
    await expect(openStudy(here.directory)).rejects.toThrow(
      `${path}: is a link to nothing. Put the file back`,
    );
  });

  it("of superclasses that are not of these classes is named", async () => {
    const here = copyOf(whole);
    const name = (await openStudy(here.directory)).arms[0]!.lines[0]!.networks[0]!.fingerprint.slice(0, 16);
    const path = join(here.directory, "networks", `${name}.json`);
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), superclasses: [0, 1] }));
    await expect(openStudy(here.directory)).rejects.toThrow(`${path}: has superclasses of 2 classes`);
  });

  it("of scores that is missing is told, since there is no ensemble without it", async () => {
    const here = copyOf(whole);
    const path = first(here.directory).replace(".json", ".scores.safetensors");
    rmSync(path);
    expect((await openStudy(here.directory)).notes.join()).toContain(
      `1 network here has no scores, so that there is no ensemble with them: put ${path} back`,
    );
  });

  it("of the study that is missing does not lead to another study of the same name", () => {
    const here = copyOf(whole);
    rmSync(join(here.directory, "study.yaml"));
    expect(findStudyFolder(here.directory, "/elsewhere/results")).toBe(here.directory);
    expect(findStudyFolder("tiny", "/elsewhere/results")).toBe("/elsewhere/results/tiny");
    expect(findStudyFolder(join(here.directory, "study.yaml"))).toBe(here.directory);
  });

  it("of scores is named with its remedy", async () => {
    const here = copyOf(whole);
    const path = first(here.directory).replace(".json", ".scores.safetensors");
    writeFileSync(path, readFileSync(path).subarray(0, 900));
    await expect(openStudy(here.directory)).rejects.toThrow(path);
  });
});

it("refuses two arms that are the same recipe, and a failed network leaves the others alone", async () => {
  const twice = writeStudy({ ...tinyStudy, arms: { ...tinyStudy.arms, again: { patriarch: "strict" } } });
  await expect(beginStudy(twice.path, twice.directory)).rejects.toThrow(
    "the arms strict and again are the same recipe: change one of them, or leave it out",
  );
  const wild = writeStudy({
    ...tinyStudy,
    seeds: [0],
    arms: {
      strict: { patriarch: "strict" },
      wild: { patriarch: { k: 3 }, optimizer: { learningRate: 1000 } },
    },
  });
  const begun = await beginStudy(wild.path, wild.directory);
  const failures = await workAtStudy(begun);
  expect([...failures.values()].join()).toMatch(/not finite|loss/);
  expect((await openStudy(wild.directory)).trained).toEqual({ done: 2, of: 4 });
});

it("a search never loads the test images", async () => {
  const { base } = tinyStudy;
  const here = writeStudy({
    ...tinyStudy,
    kind: "search",
    seeds: [0],
    base: { ...base, generations: 1 },
    arms: { strict: { patriarch: "strict" } },
  });
  await work(here.path, here.directory);
  const { arms, part } = await openStudy(here.directory);
  expect(part).toBe("heldOut");
  expect(arms[0]!.lines[0]!.networks[0]!.test).toBeUndefined();
  expect(arms[0]!.lines[0]!.networks[0]!.heldOut!.top1).toBeGreaterThan(0);
});

describe("runStudy", () => {
  it("runs a study that is written in code, arm by arm, and calibrates it before the first arm that needs it", async () => {
    const directory = join(mkdtempSync(join(tmpdir(), "lyceum-study-")), "mine");
    const study = {
      ...tinyStudy,
      seeds: [0],
      arms: { ...tinyStudy.arms, smooth: { patriarch: "label-smoothing" } },
      calibrate: {
        like: "tolerant",
        within: 0.2,
        seeds: [5],
        arms: { smooth: { key: "patriarch.epsilon", range: [0, 0.9] } },
      },
    };
    const part = await runStudy(study, { directory, arms: ["strict"] });
    expect(part.trained).toEqual({ done: 2, of: 7 });
    expect(existsSync(join(directory, "calibration.json"))).toBe(false);
    const whole = await runStudy(study, { directory });
    expect(whole.trained).toEqual({ done: 7, of: 7 });
    const { arms } = JSON.parse(readFileSync(join(directory, "calibration.json"), "utf8"));
    const words = whole.arms.find(({ name }) => name === "smooth")!.methods[0]![1];
    expect(words).toContain(String(arms.smooth.value));
    await expect(runStudy(study, { directory, arms: ["smoth"] })).rejects.toThrow(
      'there is no arm "smoth"; did you mean "smooth"?',
    );
  });

  it("rejects with Interrupted where it is aborted, and goes on when it is called again", async () => {
    const { path, directory } = writeStudy({ ...tinyStudy, seeds: [0] });
    const controller = new AbortController();
    const onEvent = ({ type }: WorkEvent) => type === "finished" && controller.abort();
    await expect(runStudy(path, { directory, signal: controller.signal, onEvent })).rejects.toThrow(
      Interrupted,
    );
    expect((await openStudy(directory)).trained.done).toBe(1);
    expect((await runStudy(path, { directory })).trained).toEqual({ done: 5, of: 5 });
  });
});
