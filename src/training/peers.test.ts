/** Networks that are trained together take the steps that PyTorch takes, and are resumed together. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { defineMethod, mutualLearning } from "../methods/index.js";
import { Linear } from "../nn/index.js";
import { SGD } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { loadCheckpoint, saveCheckpoint } from "./checkpoint.js";
import { type Learner, objectiveOf, trainStep } from "./index.js";
import { Meter } from "./meter.js";
import { beginning } from "./train-network.js";

interface Fixture {
  weight: number;
  batches: { images: number[][]; labels: number[] }[];
  begin: number[][];
  end: number[][];
  losses: number[];
}

const fixture: Fixture = JSON.parse(readFileSync(new URL("./fixtures/mutual.json", import.meta.url), "utf8"));
const batches = fixture.batches.map(({ images, labels }) => ({
  images: torch.keep(torch.tensor(images, { dtype: "float64" })),
  labels: torch.keep(torch.tensor(labels, { dtype: "int64" })),
}));

function networkOf(weights: number[]) {
  const generator = new torch.Generator(0);
  const model = new Linear(3, 4, { bias: false, generator }).to({ dtype: "float64" });
  model.loadStateDict({ weight: torch.tensor(weights, { dtype: "float64", shape: [4, 3] }) });
  return { model, optimizer: new SGD(model.parameters(), { learningRate: 0.3, momentum: 0.9 }) };
}

function learnerOf([first, second]: number[][]): Learner {
  const objective = objectiveOf(mutualLearning, { softWeight: fixture.weight });
  return { ...networkOf(first!), objective, peers: [networkOf(second!)] };
}

const weightsOf = ({ model, peers }: Learner) =>
  [model, ...peers!.map((peer) => peer.model)].map((each) =>
    Array.from(each.parameters()[0]!.toTypedArray(), Number),
  );

it("two networks learn from each other as in PyTorch", () => {
  const learner = learnerOf(fixture.begin);
  batches.forEach((batch, step) => {
    using meter = new Meter();
    trainStep(learner, batch, meter);
    // The progress line shows the first network.
    expect(Math.abs(meter.read().loss - fixture.losses[step]!)).toBeLessThan(1e-12);
  });
  weightsOf(learner).forEach((weights, network) => {
    weights.forEach((weight, i) => {
      // Some hundred roundings of numbers below 10.
      expect(Math.abs(weight - fixture.end[network]![i]!)).toBeLessThan(1e-12);
    });
  });
  expect(learner.objective.dependsOnProgress).toBe(true);
});

it("no gradient flows from one network's loss into the other network", () => {
  const squared = defineMethod({
    name: "squared",
    summary: "",
    formula: "",
    terms: {},
    peers: () => 1,
    loss: ({ logits, peers }) => ({ loss: logits.sum().add(peers![0]!.mul(peers![0]!).sum()), terms: {} }),
  });
  const learner = { ...learnerOf(fixture.begin), objective: objectiveOf(squared, {}) };
  const before = weightsOf(learner);
  const { images } = batches[0]!;
  trainStep(learner, batches[0]!);
  // The gradient of the sum of a network's own logits is the same for each class: the sum of the images.
  const sums = Array.from(images.sum([0]).toTypedArray(), Number);
  weightsOf(learner).forEach((weights, network) => {
    weights.forEach((weight, i) => {
      expect(Math.abs(weight - (before[network]![i]! - 0.3 * sums[i % 3]!))).toBeLessThan(1e-12);
    });
  });
});

it("a checkpoint holds all of them", () => {
  const folder = mkdtempSync(join(tmpdir(), "lyceum-peers-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "state.safetensors");
  const whole = learnerOf(fixture.begin);
  for (const batch of batches) trainStep(whole, batch);
  const first = learnerOf(fixture.begin);
  for (const batch of batches.slice(0, 2)) trainStep(first, batch);
  saveCheckpoint(path, first, beginning);
  const second = learnerOf(fixture.end);
  loadCheckpoint(path, second);
  for (const batch of batches.slice(2)) trainStep(second, batch);
  expect(weightsOf(second)).toEqual(weightsOf(whole));
  const { peers: _, ...alone } = first;
  saveCheckpoint(path, alone, beginning);
  expect(() => loadCheckpoint(path, second)).toThrow(path);
});
