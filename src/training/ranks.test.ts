import { describe, expect, it } from "vitest";
import { channelStatistics, Loader, type LoaderOptions, makeSynthetic } from "../data/index.js";
import { type Method, mutualLearning, snapshotDistillation, strict } from "../methods/index.js";
import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  type Module,
  ReLU,
  Sequential,
} from "../nn/index.js";
import { multiStep, SGD } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { type Objective, objectiveOf } from "./objective.js";
import type { EpochReport } from "./observer.js";
import { Ranks } from "./ranks.js";
import { Snapshot } from "./snapshot.js";
import type { Learner } from "./step.js";
import { localGroups } from "./testing/local-groups.js";
import { trainNetwork } from "./train-network.js";

const { train } = makeSynthetic({ classes: 4, size: 8, trainCount: 50, testCount: 5, seed: 1 });
const statistics = channelStatistics(train);
const mixing = { mixup: { alpha: 1, probability: 0.5 }, cutmix: { alpha: 1, probability: 0.5 } };

/** A network in float64, in which other orders of summing hardly show. */
function network(seed: number, { dropout = 0, norm = false } = {}): Module {
  const generator = new torch.Generator(seed);
  return new Sequential(
    new Conv2d(train.channels, 6, 3, { padding: 1, generator }),
    ...(norm ? [new BatchNorm2d(6)] : []),
    new ReLU(),
    new AvgPool2d(4),
    new Flatten(),
    ...(dropout > 0 ? [new Dropout(dropout, { generator })] : []),
    new Linear(24, 4, { generator }),
  ).to({ dtype: "float64" });
}

interface Options {
  /** Makes the loss of a rank NaN in a step, counted from 0. */
  breaks?: { rank: number; step: number };
  skip?: number;
  dropout?: number;
  method?: Method;
  methodOptions?: Record<string, unknown>;
  accumulate?: number;
  loader?: Partial<LoaderOptions>;
  epochs?: number;
  norm?: boolean;
}

function learnerOf(
  { method = strict as Method, methodOptions = {}, accumulate, ...rest }: Options,
  ranks?: Ranks,
) {
  const made = (seed: number) => {
    const model = network(seed, rest);
    return { model, optimizer: new SGD(model.parameters(), { learningRate: 0.2, momentum: 0.9 }) };
  };
  const peers = Array.from({ length: method.peers?.(methodOptions) ?? 0 }, (_, i) => made(7 + i));
  const isDue = method.snapshot;
  const snapshot = isDue
    ? new Snapshot({ make: () => network(1, rest), isDue: (epoch) => isDue(epoch, methodOptions, 2) })
    : undefined;
  const objective = objectiveOf(method, methodOptions, { snapshot });
  return { ...made(1), objective, snapshot, accumulate, ranks, peers } satisfies Learner;
}

/** Trains on a number of ranks, all in this process. @returns each rank's epochs and weights */
async function trainOn(size: number, options: Options = {}) {
  const groups = size === 1 ? [undefined] : localGroups(size);
  return await Promise.all(
    groups.map(async (group) => {
      const ranks = group && new Ranks(group);
      const learner = learnerOf(options, ranks);
      const epochs: EpochReport[] = [];
      const loader = new Loader(train, {
        ...statistics,
        ...{ batchSize: 16, seed: 2, shuffle: true, joinLoneLast: true, augment: { crop: 1, flip: true } },
        ...options.loader,
        ranks: group,
      });
      const { breaks } = options;
      if (breaks?.rank === (group?.rank ?? 0)) breakStep(learner.objective, breaks.step);
      const skipped: number[] = [];
      await trainNetwork(learner, {
        loader: inFloat64(loader),
        epochs: options.epochs ?? 2,
        schedule: multiStep({ learningRate: 0.2, milestones: [5] }),
        skip: options.skip,
        observers: [
          {
            onEpoch: (report) => void epochs.push(report),
            onSkip: ({ step }) => void skipped.push(step),
          },
        ],
      });
      loader.dispose();
      const weights = learner.model.parameters().flatMap((each) => Array.from(each.toTypedArray(), Number));
      return { epochs, weights, skipped };
    }),
  );
}

/** Lets the loss of one step be NaN. */
function breakStep(objective: Objective, broken: number): void {
  const { losses } = objective;
  let step = 0;
  objective.losses = (...args) => {
    const found = losses(...args);
    return step++ === broken ? { ...found, loss: found.loss.mul(Number.NaN) } : found;
  };
}

/** The loader's batches with images in float64. */
function inFloat64(loader: Loader): Loader {
  const epoch = async function* (...args: Parameters<Loader["epoch"]>) {
    for await (const batch of loader.epoch(...args)) {
      const images = torch.keep(batch.images.to({ dtype: "float64" }));
      const dispose = () => {
        images.dispose();
        batch.dispose();
      };
      yield { ...batch, images, dispose };
    }
  };
  return { ...{ epoch, stepsPerEpoch: loader.stepsPerEpoch, size: loader.size } } as unknown as Loader;
}

function expectClose(found: readonly number[], wanted: readonly number[]) {
  expect(found.length).toBe(wanted.length);
  const scale = Math.max(...wanted.map(Math.abs));
  // Sums in another order differ by some roundings of float64, which the few steps hardly enlarge.
  found.forEach((value, i) => {
    expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-9 * scale);
  });
}

describe("training on several ranks", () => {
  it.each([
    ["plainly", {}],
    ["with mixed images", { loader: { augment: { crop: 1, flip: true, ...mixing } } }],
    ["with dropout", { dropout: 0.5 }],
    ["with peers", { method: mutualLearning as Method, methodOptions: { softWeight: 1 } }],
    [
      "with snapshots",
      {
        method: snapshotDistillation as Method,
        methodOptions: {
          cycles: 2,
          hardWeight: 0.5,
          softWeight: 0.5,
          teacherTemperature: 2,
          studentTemperature: 1,
        },
      },
    ],
    ["by parts", { accumulate: 2 }],
    ["with batches smaller than the ranks", { loader: { batchSize: 47 } }],
  ])("comes to the losses and weights of one process, %s", async (_, options: Options) => {
    const [one] = await trainOn(1, options);
    for (const size of [2, 3, 4]) {
      const all = await trainOn(size, options);
      // Every rank has the same bits.
      for (const each of all) {
        expect(each.weights).toEqual(all[0]!.weights);
        expect(each.epochs.map(({ loss }) => loss)).toEqual(all[0]!.epochs.map(({ loss }) => loss));
      }
      const [{ epochs, weights }] = all as [(typeof all)[0]];
      expectClose(weights, one!.weights);
      epochs.forEach((report, i) => {
        const wanted = one!.epochs[i]!;
        expect(report.images).toBe(wanted.images);
        expect(report.top1).toBeCloseTo(wanted.top1, 12);
        expect(Object.keys(report.terms)).toEqual(Object.keys(wanted.terms));
        expectClose(
          [report.loss, ...Object.values(report.terms)],
          [wanted.loss, ...Object.values(wanted.terms)],
        );
      });
    }
  });

  it("stops in all at the step in which the loss of one is not finite, and says whose it was", async () => {
    const groups = localGroups(3);
    const ends = await Promise.allSettled(
      groups.map(async (group) => {
        const learner = learnerOf({}, new Ranks(group));
        if (group.rank === 2) breakStep(learner.objective, 1);
        using loader = new Loader(train, { ...statistics, batchSize: 16, ranks: group });
        const schedule = multiStep({ learningRate: 0.2, milestones: [5] });
        await trainNetwork(learner, { loader: inFloat64(loader), epochs: 1, schedule });
      }),
    );
    const messages = ends.map((end) => (end.status === "rejected" ? end.reason.message : "none"));
    for (const message of messages) expect(message).toContain("the loss became NaN in epoch 1, at step 2");
    for (const message of messages.slice(0, 2))
      expect(message).toContain("on rank 2, whose own message says where it comes from");
    expect(messages[2]).toContain("its loss is not");
  });

  it("leaves a step out in all where the loss of one is not finite", async () => {
    const [one] = await trainOn(1, { breaks: { rank: 0, step: 2 }, skip: 1, norm: true, epochs: 1 });
    const all = await trainOn(2, { breaks: { rank: 1, step: 2 }, skip: 1, norm: true, epochs: 1 });
    for (const { weights, skipped, epochs } of all) {
      expect(skipped).toEqual(one!.skipped);
      expect(weights).toEqual(all[0]!.weights);
      expect(epochs[0]!.images).toBe(one!.epochs[0]!.images);
    }
  });
});
