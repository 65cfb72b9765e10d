import { expect, it } from "vitest";
import { channelStatistics, Loader, makeSynthetic } from "../data/index.js";
import { distillation } from "../methods/index.js";
import { resnet8 } from "../models/index.js";
import { foldBatchNorm } from "../nn/index.js";
import { SGD } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import { objectiveOf, predict, trainNetwork } from "./index.js";

// This test has a file of its own, since freeing another test's tensors in the meantime would hide what is
// left here.
it("leaves nothing behind when a student was trained, evaluated and disposed", async () => {
  const { train } = makeSynthetic({ classes: 4, size: 12, trainCount: 80, testCount: 8, seed: 1 });
  const before = settled();
  const options = { ...channelStatistics(train), batchSize: 16 };
  const loader = new Loader(train, { ...options, shuffle: true, augment: { crop: 1, flip: true } });
  const fresh = (seed: number) =>
    resnet8.create({ classes: 4, channels: 3, generator: new torch.Generator(seed) }).to({
      memoryFormat: "channelsLast",
    });
  const teacher = foldBatchNorm(fresh(0));
  const model = fresh(1);
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9, weightDecay: 1e-4 });
  const objective = objectiveOf(
    distillation,
    { hardWeight: 0.6, softWeight: 0.4, temperature: 1 },
    { teachers: [teacher] },
  );
  await trainNetwork({ model, optimizer, objective }, { loader, epochs: 2, schedule: () => 0.1 });
  const { logits } = await predict(model, loader);
  for (const part of [logits, loader, optimizer, teacher, model]) part.dispose();
  expect(torch.memoryStats()).toEqual(before);
});
