/** The main job, whole but small: a patriarch, two students, ensembles, report, interruption, resuming. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  data,
  evaluateRun,
  Interrupted,
  type ModelFactory,
  models,
  type RecipeInput,
  torch,
  trainGenerations,
  writeReport,
} from "./index.js";
import { settled } from "./torch/testing/settled.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-"));
afterAll(() => rmSync(root, { recursive: true }));

const realImages = await data
  .loadDataset({ name: "fashion-mnist", limit: { train: 2000, test: 1000 } })
  .then(() => true)
  .catch(() => false);

/** 2,000 real images where Fashion-MNIST is installed (`setup` does so where it may), else drawn ones. */
const small: RecipeInput = {
  data: {
    name: realImages ? "fashion-mnist" : "synthetic",
    limit: { train: 2000, test: 1000 },
    heldOut: 0.05,
  },
  model: "resnet8",
  generations: 3,
  epochs: 3,
  batchSize: 32,
  optimizer: { learningRate: 0.05 },
  schedule: { kind: "one-cycle" },
  augment: { crop: 2, flip: true },
  patriarch: { k: 3, primaryScore: 0.8 },
};

/** Small enough to be trained several times over. */
const tiny: RecipeInput = {
  data: { name: "synthetic", classes: 6, size: 12, limit: { train: 192, test: 60 } },
  model: "resnet8",
  generations: 2,
  epochs: 2,
  batchSize: 32,
  seed: 3,
};

function weightsOf(directory: string, generation: number): Buffer {
  // The tensors alone: what a file says of a network's making differs where a program brings its own.
  const { tensors } = torch.loadSafetensors(
    join(directory, `generation-${generation}`, "weights.safetensors"),
  );
  const parts = Object.entries(tensors).flatMap(([name, tensor]) => {
    const { buffer } = tensor.toTypedArray();
    tensor.dispose();
    return [Buffer.from(name), Buffer.from(buffer as ArrayBuffer)];
  });
  return Buffer.concat(parts);
}

describe("trainGenerations", () => {
  it("trains a line on real images, leaves a whole run folder, and repeats its numbers from the weights", {
    timeout: 300_000,
  }, async () => {
    const directory = join(root, "line");
    const events: string[] = [];
    const before = settled().tensors;
    const run = await trainGenerations(small, { directory, onProgress: ({ type }) => events.push(type) });

    // Chance is 0.1; each of these is one seed's result on 1,000 test images.
    for (const { test } of run.generations) expect(test.top1).toBeGreaterThan(0.5);
    expect(run.generations.map(({ role }) => role)).toEqual(["patriarch", "student", "student"]);
    expect(run.generations.map(({ test }) => test.teacherAgreement !== undefined)).toEqual([
      false,
      true,
      true,
    ]);
    expect(Object.keys(run.ensembles)).toEqual(["0-1", "0-2"]);
    expect(settled().tensors).toBe(before);
    expect(events[0]).toBe("start");
    expect(events.at(-1)).toBe("end");
    expect(events.filter((type) => type === "epoch")).toHaveLength(9);

    await writeReport(directory);
    expect(
      readdirSync(directory)
        .filter((name) => !name.startsWith("."))
        .sort(),
    ).toEqual([
      "environment.json",
      "generation-0",
      "generation-1",
      "generation-2",
      "metrics.jsonl",
      "recipe.yaml",
      "report.html",
      "summary.json",
    ]);
    expect(readdirSync(join(directory, "generation-2")).sort()).toEqual([
      "test-logits.safetensors",
      "weights.safetensors",
    ]);
    const lines = readFileSync(join(directory, "metrics.jsonl"), "utf8").trim().split("\n");
    expect(lines).toHaveLength(9);
    expect(JSON.parse(lines[8]!)).toMatchObject({
      generation: 2,
      epoch: 3,
      role: "student",
      validation: { top1: expect.any(Number) },
    });
    const summary = JSON.parse(readFileSync(join(directory, "summary.json"), "utf8"));
    expect(summary.generations).toEqual(run.generations);
    expect(summary.ensembles).toEqual(run.ensembles);
    const report = readFileSync(join(directory, "report.html"), "utf8");
    expect(report).toContain("<svg");
    expect(report).not.toMatch(/(src|href)="https?:/);

    const again = await evaluateRun(directory, { ensemble: true });
    expect(again.generations).toEqual(run.generations);
    expect(again.ensemble).toEqual({ name: "0-2", ...run.ensembles["0-2"] });
  });

  it("gives the same bits for the same seed, and others for another", async () => {
    const runs = ["seed-a", "seed-b", "seed-c", "seed-d"].map((name) => join(root, name));
    const [one, same, again, other] = runs as [string, string, string, string];
    for (const directory of [one, same, again]) await trainGenerations(tiny, { directory });
    await trainGenerations({ ...tiny, seed: 4 }, { directory: other });
    for (const generation of [0, 1]) {
      for (const equal of [same, again])
        expect(weightsOf(equal, generation).equals(weightsOf(one, generation))).toBe(true);
      expect(weightsOf(other, generation).equals(weightsOf(one, generation))).toBe(false);
    }
  });

  // A generation has 12 steps, an epoch 6.
  it.each([1, 5, 6, 12, 16, 18])("goes on after stopping in step %i as if nothing had been", async (last) => {
    const whole = join(root, "whole");
    if (!existsSync(whole)) await trainGenerations(tiny, { directory: whole });
    const directory = join(root, `stopped-${last}`);
    const controller = new AbortController();
    let steps = 0;
    const model: ModelFactory = (options) => {
      const network = models.resnet8.create(options);
      const forward = network.forward.bind(network);
      network.forward = (x) => {
        if (network.training && ++steps === last) controller.abort();
        return forward(x);
      };
      return network;
    };
    const stopped = trainGenerations(tiny, { directory, signal: controller.signal, model });
    await expect(stopped).rejects.toBeInstanceOf(Interrupted);
    expect(steps).toBe(last);
    const run = await trainGenerations(tiny, { directory, resume: true });
    expect(run.generations).toHaveLength(2);
    for (const each of [0, 1]) expect(weightsOf(directory, each).equals(weightsOf(whole, each))).toBe(true);
    const lines = readFileSync(join(directory, "metrics.jsonl"), "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line)).map(({ generation, epoch }) => [generation, epoch])).toEqual(
      [
        [0, 1],
        [0, 2],
        [1, 1],
        [1, 2],
      ],
    );
  });
});
