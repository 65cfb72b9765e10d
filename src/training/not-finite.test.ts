/** Losses and gradients that are not finite: how they are found, told of, and left out. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { channelStatistics, Loader, makeSynthetic } from "../data/index.js";
import { defineMethod, strict } from "../methods/index.js";
import { resnet8 } from "../models/index.js";
import { AveragedWeights, SGD } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { Diverged } from "./diverged.js";
import { objectiveOf } from "./objective.js";
import type { SkippedStep } from "./observer.js";
import { type Learner, trainStep } from "./step.js";
import { trainNetwork } from "./train-network.js";

const { train } = makeSynthetic({ classes: 4, size: 12, trainCount: 80, testCount: 8, seed: 1 });
const loader = () =>
  new Loader(train, { ...channelStatistics(train), batchSize: 16, seed: 2, shuffle: true });

/** Cross-entropy whose value is changed in chosen steps, counted from 1. */
const troubled = (change: (step: number, loss: torch.Tensor) => torch.Tensor) => {
  let steps = 0;
  return defineMethod({
    ...strict,
    name: "troubled",
    loss: (input, options) => {
      const { loss, terms } = strict.loss(input, options);
      return { loss: change(++steps, loss), terms };
    },
  });
};

function learner(method = troubled((_, loss) => loss)) {
  const options = { classes: 4, channels: train.channels, generator: new torch.Generator(1) };
  const model = resnet8.create(options).to({ memoryFormat: "channelsLast" });
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 });
  return { model, optimizer, objective: objectiveOf(method, {}) };
}

/** Tells tensors apart in a few letters: all numbers of them would fill the screen where a test fails. */
const bitsOf = (tensors: Record<string, torch.Tensor>) => {
  const hash = createHash("sha256");
  for (const [name, tensor] of Object.entries(tensors)) hash.update(`${name} ${tensor.tolist()} `);
  return hash.digest("hex");
};
const common = { epochs: 2, schedule: () => 0.1 };
const failure = (trained: Learner, skip?: number) =>
  trainNetwork(trained, { ...common, loader: loader(), skip }).then(
    () => "",
    (error) => {
      expect(error).toBeInstanceOf(Diverged);
      return error.message as string;
    },
  );
const nan = (loss: torch.Tensor) => loss.mul(Number.NaN);

describe("a loss that is not finite", () => {
  it("ends the training at its very step, before a weight is changed", async () => {
    const trained = learner(troubled((step, loss) => (step === 7 ? nan(loss) : loss)));
    const message = await failure(trained);
    expect(message).toMatch(/^the loss became NaN in epoch 2, at step 2: learning rate 0\.1; /);
    expect(message).toContain("the network's output is finite, its loss is not");
    expect(message).toMatch(
      /gradients of the step before have a norm of [\d.e+-]+, the largest of them .* at \w/,
    );
    expect(message).toMatch(/clipNorm mends it$/);
    const sound = learner();
    await trainNetwork(sound, { ...common, epochs: 1, loader: loader() });
    const weights = (model: typeof sound.model) =>
      model.parameters().every((each) => Boolean(each.isfinite().all().item()));
    expect(weights(trained.model)).toBe(true);
  });

  it("is traced to the layer whose output is not finite first", async () => {
    const trained = learner();
    torch.noGrad(() => trained.model.namedParameters().get("layer2.0.conv1.weight")!.fill_(3e38));
    expect(await failure(trained)).toMatch(
      /in epoch 1, at step 1: .*the output of layer2\.0\.conv1 is the first that is not finite, with inputs up to \d/,
    );
  });

  it("is traced to weights that are not finite", async () => {
    const trained = learner();
    torch.noGrad(() =>
      torch.scope(() =>
        trained.model.namedParameters().get("layer2.0.bn1.bias")!.narrow(0, 1, 1).fill_(Number.NaN),
      ),
    );
    expect(await failure(trained)).toContain(
      "the weights of layer2.0.bn1.bias are the first that are not finite",
    );
  });

  it("names the term of the loss", async () => {
    const method = defineMethod({
      ...strict,
      name: "two-terms",
      terms: { hard: "", extra: "" },
      loss: (input, options) => {
        const { loss } = strict.loss(input, options);
        return { loss: nan(loss), terms: { hard: loss, extra: nan(loss) } };
      },
    });
    expect(await failure(learner(method as never))).toContain("its loss is not: extra is NaN");
  });
});

describe("a step that is left out", () => {
  /** Trains with trouble in the third step, and tells what the network was before and after each step. */
  async function states(change: (loss: torch.Tensor) => torch.Tensor, skip?: number) {
    const trained = learner(troubled((step, loss) => (step === 3 ? change(loss) : loss)));
    const averaged = new AveragedWeights(trained.model, { decay: 0.5 });
    const seen: { weights: string; momentum: string; averaged: string }[] = [];
    const skips: SkippedStep[] = [];
    const note = () =>
      seen.push({
        weights: bitsOf(trained.model.stateDict()),
        momentum: bitsOf(trained.optimizer.stateDict()),
        averaged: bitsOf(averaged.stateDict()),
      });
    note();
    const images: number[] = [];
    const end = await trainNetwork(
      { ...trained, averaged },
      {
        ...common,
        epochs: 1,
        loader: loader(),
        skip,
        observers: [
          {
            isDue: () => note() > 0 && false,
            onSkip: (skipped) => void skips.push(skipped),
            onEpoch: (report) => void images.push(report.images),
          },
        ],
      },
    );
    return { seen, skips, images, end };
  }

  it.each([
    ["loss", nan],
    // The loss itself is finite; the gradient of a square root at 0 is not.
    ["gradients", (loss: torch.Tensor) => loss.add(loss.sub(loss.detach()).abs().sqrt())],
  ] as const)(
    "for its %s leaves weights, statistics, momentum, means and averaged weights as they were",
    async (what, change) => {
      const { seen, skips, images, end } = await states(change, 1);
      expect(skips).toEqual([{ epoch: 0, step: 3, what, skipped: 1 }]);
      expect(seen[3]).toEqual(seen[2]);
      expect(seen[2]).not.toEqual(seen[1]);
      expect(seen[4]).not.toEqual(seen[3]);
      expect(images).toEqual([64]);
      expect(end.skipped).toBe(1);
    },
  );

  it("leaves all other steps as they are without it", async () => {
    const [looking, plain] = [await states((loss) => loss, 5), await states((loss) => loss)];
    expect(looking.seen).toEqual(plain.seen);
    expect(looking.end).not.toHaveProperty("skipped");
  });

  it("may not be one too many", async () => {
    const trained = learner(troubled((step, loss) => (step > 2 ? nan(loss) : loss)));
    expect(await failure(trained, 2)).toContain("in epoch 1, at step 5, after 2 that were left out: ");
  });
});

it("gradients of one step are there until the losses of the next are known", () => {
  const trained = learner();
  const images = torch.ones([4, 3, 12, 12]);
  const labels = torch.zeros([4], { dtype: "int64" });
  trainStep({ ...trained, check: "loss" }, { images, labels });
  const before = trained.model.fc.weight.grad!.tolist();
  torch.noGrad(() => trained.model.fc.weight.fill_(Number.NaN));
  expect(() => trainStep({ ...trained, check: "loss" }, { images, labels })).toThrow(/loss became NaN/);
  expect(trained.model.fc.weight.grad!.tolist()).toEqual(before);
});
