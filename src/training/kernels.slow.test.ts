import { afterEach, expect, it } from "vitest";
import * as data from "../data/index.js";
import { createModel } from "../models/index.js";
import * as nn from "../nn/index.js";
import { SGD } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { studentObjective, trainStep } from "./index.js";

afterEach(() => nn.setKernels("fast"));

/** A student's losses over 100 steps on real images, the same ones for each choice of kernels. */
async function losses(kernels: nn.Kernels, learningRate: number): Promise<number[]> {
  nn.setKernels(kernels);
  const set = await data.loadDataset({ name: "fashion-mnist", limit: { train: 6400 } });
  const generator = new torch.Generator(0);
  const make = () =>
    createModel("resnet8", { classes: 10, channels: 1, generator }).to({ memoryFormat: "channelsLast" });
  const teacher = nn.foldBatchNorm(make());
  const model = make().train();
  const optimizer = new SGD(model.parameters(), { learningRate, momentum: 0.9, weightDecay: 1e-4 });
  const objective = objectiveOf(distillation, { hardWeight: 0.5, softWeight: 0.5, temperature: 1 }, { teachers: [teacher] });
  const found: number[] = [];
  const loader = new data.Loader(set.train, {
    ...data.channelStatistics(set.train),
    batchSize: 64,
    seed: 0,
    shuffle: true,
  });
  for await (const batch of loader.epoch(0)) {
    trainStep(
      {
        model,
        optimizer,
        objective: (...given) => {
          const result = objective.losses(...given);
          found.push(result.loss.item());
          return result;
        },
      },
      batch,
    );
    batch.dispose();
  }
  loader.dispose();
  return found;
}

// Training magnifies rounding, the more the higher its rate (results/kernels.md).
it("learns the same in 100 steps with exact and with fast kernels as with libtorch's", async () => {
  const learningRate = 1e-3;
  const expected = await losses("libtorch", learningRate);
  expect(expected).toHaveLength(100);
  expect(expected[99]!).toBeLessThan(expected[0]! - 0.05);
  for (const kernels of ["exact", "fast"] as const) {
    const found = await losses(kernels, learningRate);
    const away = found.map((loss, step) => Math.abs(loss - expected[step]!));
    expect(Math.max(...away), kernels).toBeLessThan(1e-4);
    expect(Math.max(...away), "the same operators after all").toBeGreaterThan(0);
  }
});
