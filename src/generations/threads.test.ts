import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { RunFolder } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { Interrupted, trainGenerations } from "./index.js";
import { mostThreads } from "./threads.js";

const small = {
  data: { name: "synthetic", size: 8, limit: { train: 32, test: 8 } },
  model: "resnet8",
  patriarch: "strict",
  generations: 1,
  epochs: 1,
  batchSize: 16,
};

/** Begins a training, or goes on with one, and stops it before its first step. @returns its warnings */
async function warningsOf(directory: string, threads: number, resume = false): Promise<string[]> {
  const before = torch.getNumThreads();
  const stop = new AbortController();
  let warnings: string[] = [];
  const training = trainGenerations(
    { ...small, threads },
    {
      directory,
      resume,
      signal: stop.signal,
      onProgress: (event) => {
        if (event.type !== "start") return;
        warnings = event.warnings;
        stop.abort();
      },
    },
  );
  await expect(training).rejects.toThrow(Interrupted);
  torch.setNumThreads(before);
  return warnings;
}

it("are those that the machine runs at a time, or as many as the environment asks for", () => {
  expect(mostThreads(2, undefined)).toBe(2);
  expect(mostThreads(2, "")).toBe(2);
  expect(mostThreads(2, "1")).toBe(2);
  expect(mostThreads(2, "8")).toBe(8);
  expect(mostThreads(2, "8,4")).toBe(8);
  expect(mostThreads(2, "many")).toBe(2);
});

it("a recipe of a larger machine trains by those of this one, says so, and goes on unchanged", async () => {
  const directory = mkdtempSync(join(tmpdir(), "lyceum-threads-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const most = Math.max(availableParallelism(), Number(process.env.OMP_NUM_THREADS ?? 0));
  const said = expect.stringMatching(
    new RegExp(`^threads: 1024 are more than the ${most} that this machine runs at a time: ${most} are used`),
  );
  expect(await warningsOf(directory, 1024)).toContainEqual(said);
  expect((await RunFolder.open(directory)).recipe.threads).toBe(1024);
  const environment = JSON.parse(readFileSync(join(directory, "environment.json"), "utf8"));
  expect(environment.threads).toBe(most);
  expect(await warningsOf(directory, 1024, true)).toContainEqual(said);
  // Other threads are the same experiment.
  const path = join(directory, "recipe.yaml");
  writeFileSync(path, readFileSync(path, "utf8").replace("threads: 1024", "threads: 1"));
  expect((await warningsOf(directory, 1, true)).join()).not.toContain("threads");
});
