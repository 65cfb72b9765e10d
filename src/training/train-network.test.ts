import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type AugmentOptions, channelStatistics, Loader, makeSynthetic } from "../data/index.js";
import { strict } from "../methods/index.js";
import { resnet8, resnet14 } from "../models/index.js";
import type { Module } from "../nn/index.js";
import { GradScaler, multiStep, SGD } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { loadCheckpoint, type Position, saveCheckpoint } from "./checkpoint.js";
import { Diverged } from "./diverged.js";
import { objectiveOf } from "./objective.js";
import type { EpochReport } from "./observer.js";
import { predict } from "./predict.js";
import { beginning, trainNetwork } from "./train-network.js";

const folder = mkdtempSync(join(tmpdir(), "lyceum-training-"));
afterAll(() => rmSync(folder, { recursive: true }));

const { train, test } = makeSynthetic({ classes: 4, size: 12, trainCount: 80, testCount: 37, seed: 1 });
const statistics = channelStatistics(train);
const loaderOf = (changes: Partial<AugmentOptions> = {}) =>
  new Loader(train, {
    ...statistics,
    batchSize: 16,
    seed: 2,
    shuffle: true,
    augment: { crop: 1, flip: true, ...changes },
  });
const everything: Partial<AugmentOptions> = {
  policy: { name: "randaugment" },
  erase: { probability: 0.5, area: [0.02, 0.33], aspect: [0.3, 3.3], fill: "noise" },
  mixup: { alpha: 1, probability: 0.5 },
  cutmix: { alpha: 1, probability: 0.5 },
};

function learner(seed: number) {
  const options = { classes: 4, channels: train.channels, generator: new torch.Generator(seed) };
  const model = resnet8.create(options).to({ memoryFormat: "channelsLast" });
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9, weightDecay: 1e-4 });
  return { model, optimizer, objective: objectiveOf(strict, {}) };
}

const common = { epochs: 2, schedule: multiStep({ learningRate: 0.1, milestones: [5] }) };

function bytes(tensor: torch.Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = tensor.toTypedArray();
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Names the tensors of two networks whose bits are not the same. */
function differing(a: Module, b: Module): string[] {
  const other = b.stateDict();
  const pairs = Object.entries(a.stateDict()).map(([name, tensor]) => [name, tensor, other[name]!] as const);
  return pairs.filter(([, x, y]) => Buffer.compare(bytes(x), bytes(y)) !== 0).map(([name]) => name);
}

/** Makes a signal that aborts in the given step of the training, counted from 1. */
function stopIn(last: number, model: ReturnType<typeof learner>["model"]): AbortSignal {
  const controller = new AbortController();
  const forward = model.forward.bind(model);
  let steps = 0;
  model.forward = (x) => {
    if (++steps === last) controller.abort();
    return forward(x);
  };
  return controller.signal;
}

describe("trainNetwork", () => {
  it.each([
    [1, {}],
    [4, {}],
    [5, {}],
    [7, {}],
    [7, everything],
  ])("stopped in step %i and resumed from a file, gives the same bits: %j", async (last, changes) => {
    const whole = learner(1);
    const epochs: number[] = [];
    await trainNetwork(
      { ...whole, model: whole.model.eval() },
      {
        ...common,
        loader: loaderOf(changes),
        observers: [{ onEpoch: ({ loss }) => void epochs.push(loss) }],
      },
    );

    const first = learner(1);
    const seen: number[] = [];
    const stops: Position[] = [];
    const observers = [
      {
        onEpoch: ({ loss }: EpochReport) => void seen.push(loss),
        onStop: (position: Position) => void stops.push(position),
      },
    ];
    const signal = stopIn(last, first.model);
    const stopped = await trainNetwork(first, { ...common, loader: loaderOf(changes), signal, observers });
    expect(stopped).toMatchObject(
      last === 5 ? { epoch: 1, step: 0 } : { epoch: last > 5 ? 1 : 0, step: last % 5 },
    );
    // An epoch's end is a stop too: the checkpoint of the epoch may not have been written yet.
    expect(stops).toEqual([stopped]);
    const path = join(folder, `stopped-${last}.safetensors`);
    saveCheckpoint(path, first, stopped);

    const second = learner(99);
    const position = loadCheckpoint(path, second);
    expect(position).toEqual(stopped);
    const end = await trainNetwork(second, { ...common, loader: loaderOf(changes), position, observers });
    expect(end.epoch).toBe(2);
    expect(differing(second.model, whole.model)).toEqual([]);
    expect(differing(second.model, learner(1).model)).not.toEqual([]);
    expect(whole.model.bn1.numBatchesTracked.item()).toBe(10);
    expect(seen).toEqual(epochs);
  });

  it("goes on from a checkpoint of any step that was written while it trained, to the same bits", async () => {
    const whole = learner(1);
    const loader = loaderOf(everything);
    const places: string[] = [];
    const observer = {
      isDue: () => true,
      onDue: (position: Position) => {
        const path = join(folder, `due-${places.length}.safetensors`);
        saveCheckpoint(path, whole, position);
        places.push(path);
      },
    };
    await trainNetwork(whole, { ...common, loader, observers: [observer] });
    expect(places).toHaveLength(8);
    for (const [i, path] of places.entries()) {
      const resumed = learner(50 + i);
      const position = loadCheckpoint(path, resumed);
      expect([position.epoch, position.step]).toEqual([Math.floor(i / 4), (i % 4) + 1]);
      await trainNetwork(resumed, { ...common, loader, position });
      expect(differing(resumed.model, whole.model)).toEqual([]);
    }
  });

  it("saves the scale of the gradients, and goes on with it", () => {
    const path = join(folder, "scaled.safetensors");
    const state = { scale: torch.tensor([32]), growth_tracker: torch.tensor([7], { dtype: "int32" }) };
    const [scaler, other] = [new GradScaler(), new GradScaler()];
    scaler.loadStateDict(state);
    const position = { ...beginning, epoch: 1, seconds: 1 };
    saveCheckpoint(path, { ...learner(1), scaler }, position);
    loadCheckpoint(path, { ...learner(1), scaler: other });
    expect(Object.values(other.stateDict()).map((tensor) => tensor.item())).toEqual([32, 7]);
    saveCheckpoint(path, learner(1), position);
    expect(() => loadCheckpoint(path, { ...learner(1), scaler: other })).toThrow(
      /scaled.*gradient scaler's scale/,
    );
  });

  it("tells a loss that is no number from one that is, and names the remedy", async () => {
    const { model, optimizer, objective } = learner(1);
    torch.noGrad(() => model.fc.weight.fill_(Number.NaN));
    const diverging = trainNetwork({ model, optimizer, objective }, { ...common, loader: loaderOf() });
    await expect(diverging).rejects.toThrow(Diverged);
    await expect(diverging).rejects.toThrow(/epoch 1.*learningRate/s);
  });

  it("does not hand back a position that nobody could go on from", async () => {
    const { model, optimizer, objective } = learner(1);
    torch.noGrad(() => model.fc.weight.fill_(Number.NaN));
    const signal = stopIn(2, model);
    const stopped = trainNetwork({ model, optimizer, objective }, { ...common, loader: loaderOf(), signal });
    await expect(stopped).rejects.toThrow(/NaN in epoch 1, at step 1/);
  });

  it("asks the schedule once a step, counted over all epochs, and reports the last rate", async () => {
    const asked: number[] = [];
    const rates: number[] = [];
    const times: number[] = [];
    const { model, optimizer, objective } = learner(1);
    const used: number[] = [];
    optimizer.step = () => void used.push(optimizer.learningRate);
    const end = await trainNetwork(
      { model, optimizer, objective },
      {
        loader: loaderOf(),
        epochs: 3,
        schedule: (step) => {
          asked.push(step);
          return step / 100;
        },
        position: { ...beginning, epoch: 1, step: 2, seconds: 1000, epochSeconds: 500 },
        observers: [
          {
            onEpoch: ({ learningRate, seconds }) => {
              rates.push(learningRate);
              times.push(Math.floor(seconds / 500));
            },
          },
        ],
      },
    );
    expect(asked).toEqual([7, 8, 9, 10, 11, 12, 13, 14]);
    expect(used).toEqual(asked.map((step) => step / 100));
    expect(rates).toEqual([0.09, 0.14]);
    // The time before the interruption counts, for the epoch at hand and for the whole.
    expect(times).toEqual([1, 0]);
    expect(end.seconds).toBeGreaterThan(1000);
  });

  it.each([1, 3])("keeps images of %i channels channels-last through the network", async (channels) => {
    const set = makeSynthetic({
      classes: 4,
      size: 12,
      channels: channels as 1 | 3,
      trainCount: 8,
      testCount: 8,
    });
    const model = resnet8.create({ classes: 4, channels, generator: new torch.Generator(1) });
    model.to({ memoryFormat: "channelsLast" });
    const layouts: boolean[] = [];
    const layoutsInto = (layer: Module) => {
      const forward = layer.forward.bind(layer);
      layer.forward = (x: torch.Tensor, ...more: []) => {
        layouts.push(x.isContiguous("channelsLast") && !x.isContiguous());
        return forward(x, ...more);
      };
    };
    layoutsInto(model.bn1);
    layoutsInto(model.pool);
    const options = { ...channelStatistics(set.train), batchSize: 8 };
    await predict(model, new Loader(set.train, options));
    await predict(model, new Loader(set.train, { ...options, augment: { crop: 1, flip: true } }));
    expect(layouts).toEqual([true, true, true, true]);
  });

  it("reports steps with what is left to smooth", async () => {
    const reports: { step: number; images: number; imagesPerSecond: number }[] = [];
    await trainNetwork(learner(1), {
      ...common,
      loader: loaderOf(),
      reportEvery: 0,
      observers: [{ onStep: (report) => void reports.push(report) }],
    });
    expect(reports.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5]);
    expect(reports.every(({ images, imagesPerSecond }) => images === 16 && imagesPerSecond > 0)).toBe(true);
  });
});

describe("predict", () => {
  it("predicts in the set's order, in evaluation mode, and restores the mode", async () => {
    const { model } = learner(3);
    const loader = new Loader(test, { ...statistics, batchSize: 8 });
    const { logits, labels } = await predict(model, loader);
    expect(model.training).toBe(true);
    expect([...labels]).toEqual([...test.labels]);
    expect(logits.shape).toEqual([37, 4]);
    expect(logits.requiresGrad).toBe(false);
    model.eval();
    model.layer1.training = true;
    const whole = new Loader(test, { ...statistics, batchSize: 37 });
    const all = await predict(model, whole);
    expect(logits.allclose(all.logits, 1e-4, 1e-5)).toBe(true);
    expect([model.training, model.layer1.training, model.layer2.training]).toEqual([false, true, false]);
  });
});

describe("a checkpoint that is none", () => {
  const path = join(folder, "bad.safetensors");
  const position: Position = {
    epoch: 1,
    step: 2,
    meter: { names: ["hard"], sums: [1, 2, 3], images: 4 },
    seconds: 5,
    epochSeconds: 6,
    elapsedSeconds: 7,
  };
  const refused = (metadata: Record<string, string>) => {
    torch.saveSafetensors(path, {}, metadata);
    expect(() => loadCheckpoint(path, learner(1))).toThrow(/bad\.safetensors: no (usable )?checkpoint/);
  };

  it.each([
    ["another format", { format: "other", position: JSON.stringify(position) }],
    ["no position", { format: "lyceum-checkpoint-2" }],
    ["broken JSON", { format: "lyceum-checkpoint-2", position: JSON.stringify(position).slice(1) }],
    ["a position of null", { format: "lyceum-checkpoint-2", position: "null" }],
    [
      "a negative epoch",
      { format: "lyceum-checkpoint-2", position: JSON.stringify({ ...position, epoch: -1 }) },
    ],
    [
      "no meter",
      { format: "lyceum-checkpoint-2", position: JSON.stringify({ ...position, meter: undefined }) },
    ],
    [
      "sums of another length",
      {
        format: "lyceum-checkpoint-2",
        position: JSON.stringify({ ...position, meter: { names: [], sums: [1], images: 1 } }),
      },
    ],
  ])("is refused by name: %s", (_, metadata) => refused(metadata));

  it("is refused by name when it is of another network, or cut off", () => {
    saveCheckpoint(path, learner(1), position);
    const other = resnet14.create({
      classes: 4,
      channels: train.channels,
      generator: new torch.Generator(0),
    });
    const optimizer = new SGD(other.parameters(), { learningRate: 1 });
    expect(() => loadCheckpoint(path, { model: other, optimizer })).toThrow(/bad\.safetensors: .*missing/);
    writeFileSync(path, readFileSync(path).subarray(0, 1000));
    expect(() => loadCheckpoint(path, learner(1))).toThrow(path);
  });
});
