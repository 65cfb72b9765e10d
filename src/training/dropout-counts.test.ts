import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { strict } from "../methods/index.js";
import { Dropout, Flatten, Linear, Sequential } from "../nn/index.js";
import { SGD } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { loadCheckpoint, saveCheckpoint } from "./checkpoint.js";
import { DropoutCounts } from "./dropout-counts.js";
import { canRecord, objectiveOf, trainStep } from "./index.js";
import { beginning } from "./train-network.js";

const folder = mkdtempSync(join(tmpdir(), "lyceum-dropout-"));
afterAll(() => rmSync(folder, { recursive: true }));

function learner(seed: number, rate = 0.5) {
  const generator = new torch.Generator(seed);
  const model = new Sequential(
    new Flatten(),
    new Dropout(rate, { generator }),
    new Linear(48, 3, { generator }),
  );
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1, capturable: true });
  return { model, optimizer, objective: objectiveOf(strict, {}) };
}

const batch = {
  images: torch.randn([4, 3, 4, 4], { generator: new torch.Generator(1) }),
  labels: torch.tensor([0, 1, 2, 0], { dtype: "int64" }),
};
const weightOf = ({ model }: ReturnType<typeof learner>) => (model[2] as Linear).weight.tolist();

describe("the counts of a network's dropout", () => {
  it("are in a checkpoint and not among the weights, and a resumed training draws what an unbroken one does", () => {
    const [unbroken, resumed, fresh] = [learner(1), learner(1), learner(1)];
    trainStep(unbroken, batch);
    const path = join(folder, "state.safetensors");
    saveCheckpoint(path, unbroken, { ...beginning, step: 1 });
    expect(Object.keys(unbroken.model.stateDict())).toEqual(["2.weight", "2.bias"]);
    loadCheckpoint(path, resumed);
    fresh.model.loadStateDict(unbroken.model.stateDict());
    for (const each of [unbroken, resumed, fresh]) trainStep(each, batch);
    expect(weightOf(resumed)).toEqual(weightOf(unbroken));
    expect(weightOf(fresh)).not.toEqual(weightOf(unbroken));
  });

  it("are asked for by the layer's name", () => {
    const counts = new DropoutCounts(learner(1).model);
    expect(Object.keys(counts.stateDict())).toEqual(["1"]);
    for (const wrong of [{}, { 1: torch.tensor(-1, { dtype: "int64" }) }, { 1: torch.zeros([2]) }])
      expect(() => counts.loadStateDict(wrong)).toThrow(/dropout layer 1 is missing or damaged/);
    expect(new DropoutCounts(learner(1, 0).model).stateDict()).toEqual({});
  });
});

it("a step with dropout is not recorded as a graph, which would repeat one mask", () => {
  expect(canRecord(learner(1))).toBe(false);
  expect(canRecord(learner(1, 0))).toBe(true);
});
