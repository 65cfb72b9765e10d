import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type AugmentOptions, channelStatistics, Loader, makeSynthetic } from "../data/index.js";
import {
  confidenceWeightedLabels,
  distillation,
  labelSmoothing,
  psKd,
  strict,
  topScoreDifference,
} from "../methods/index.js";
import { resnet8 } from "../models/index.js";
import { foldBatchNorm, type Module } from "../nn/index.js";
import { SGD } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { objectiveOf, trainNetwork } from "./index.js";
import { Meter } from "./meter.js";
import { mixLosses } from "./mix-losses.js";

type Result = { loss: number; gradient: number[] };
type Fixture = {
  shape: number[];
  logits: number[];
  teacher: number[];
  labels: number[];
  otherLabels: number[];
  weight: number;
  top1: number;
  hard: number;
} & Record<keyof typeof objectives, Result>;

const fixture: Fixture = JSON.parse(readFileSync(new URL("./fixtures/mixed.json", import.meta.url), "utf8"));
const double = (values: number[]) =>
  torch.tensor(Float64Array.from(values), { shape: fixture.shape, dtype: "float64" });
const int64 = (values: number[]) => torch.tensor(values, { dtype: "int64" });
const images = torch.zeros([6, 1, 2, 2], { dtype: "float64" });
const mix = { otherLabels: int64(fixture.otherLabels), weight: torch.tensor(fixture.weight) };

/** A teacher that answers the fixture's logits, whatever it is shown, and counts how often it is asked. */
function fixedTeacher() {
  let calls = 0;
  const forward = () => {
    calls++;
    return double(fixture.teacher);
  };
  const model = { forward } as unknown as Module;
  return { model, calls: () => calls };
}

const objectives = {
  strict: () => objectiveOf(strict, {}),
  "top-score-difference": () => objectiveOf(topScoreDifference, { hardWeight: 0.4, k: 3 }),
  distillation: () =>
    objectiveOf(
      distillation,
      { hardWeight: 0.6, softWeight: 0.4, temperature: 2 },
      { teachers: [fixedTeacher().model] },
    ),
  "label-smoothing": () => objectiveOf(labelSmoothing, { epsilon: 0.2 }),
  "ps-kd": () => {
    const past = objectiveOf(psKd, { alpha: 0.6 }, { snapshot: { network: fixedTeacher().model } });
    return Object.assign(past, { epoch: 2, epochs: 4 });
  },
  "confidence-weighted-labels": () =>
    objectiveOf(confidenceWeightedLabels, {}, { teachers: [fixedTeacher().model] }),
};

describe("losses of mixed images", () => {
  it.each(Object.keys(objectives) as (keyof typeof objectives)[])(
    "of %s are PyTorch's for the mixed distribution of the label, and so are their gradients",
    (name) => {
      const logits = double(fixture.logits).requiresGrad_();
      const { loss, terms } = objectives[name]().losses(logits, int64(fixture.labels), images, mix);
      expect(loss.item()).toBeCloseTo(fixture[name].loss, 13);
      if (name !== "confidence-weighted-labels") expect(terms.hard!.item()).toBeCloseTo(fixture.hard, 13);
      loss.backward();
      const gradient = logits.grad!.toTypedArray() as Float64Array;
      fixture[name].gradient.forEach((expected, i) => {
        expect(gradient[i]).toBeCloseTo(expected, 13);
      });
    },
  );

  it("ask each teacher once", () => {
    const { model, calls } = fixedTeacher();
    const objective = objectiveOf(
      distillation,
      { hardWeight: 0.6, softWeight: 0.4, temperature: 2 },
      { teachers: [model] },
    );
    objective.losses(double(fixture.logits), int64(fixture.labels), images, mix);
    expect(calls()).toBe(1);
  });

  it("have the same terms, whichever label", () => {
    const one = { loss: torch.tensor(1), terms: { hard: torch.tensor(1) } };
    const other = { loss: torch.tensor(1), terms: { soft: torch.tensor(1) } };
    expect(() => mixLosses(one, other, torch.tensor(0.5))).toThrow("got hard and soft");
  });

  it("count a correct prediction by the weight of its label", () => {
    const meter = new Meter();
    const logits = double(fixture.logits);
    const labels = int64(fixture.labels);
    meter.add(logits, labels, objectives.strict().losses(logits, labels, images, mix), mix);
    expect(meter.read().top1).toBeCloseTo(fixture.top1, 13);
    expect(meter.read().loss).toBeCloseTo(fixture.strict.loss, 13);
  });
});

describe("teacher and student", () => {
  const { train } = makeSynthetic({ classes: 4, size: 12, trainCount: 34, testCount: 8, seed: 1 });
  const fresh = (seed: number) =>
    resnet8
      .create({ classes: 4, channels: 3, generator: new torch.Generator(seed) })
      .to({ memoryFormat: "channelsLast" });

  /** Copies what a network is shown into a list, before it sees it. */
  function watched<M extends Module>(model: M, seen: Float32Array[]): M {
    const forward = model.forward.bind(model);
    model.forward = (x: torch.Tensor) => {
      seen.push(x.toTypedArray() as Float32Array);
      return forward(x);
    };
    return model;
  }

  /** Trains a student for an epoch, and gives the batches that it and its teacher were shown. */
  async function shown(augment: AugmentOptions) {
    const byTeacher: Float32Array[] = [];
    const byStudent: Float32Array[] = [];
    const model = watched(fresh(1), byStudent);
    const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
    const objective = objectiveOf(
      distillation,
      { hardWeight: 0.6, softWeight: 0.4, temperature: 1 },
      { teachers: [watched(foldBatchNorm(fresh(0)), byTeacher)] },
    );
    using loader = new Loader(train, { ...channelStatistics(train), batchSize: 8, shuffle: true, augment });
    await trainNetwork({ model, optimizer, objective }, { loader, epochs: 1, schedule: () => 0.01 });
    return { byTeacher, byStudent };
  }

  it.each([
    ["Mixup", { mixup: { alpha: 1, probability: 1 } }],
    ["CutMix", { cutmix: { alpha: 1, probability: 1 } }],
    ["both", { mixup: { alpha: 1, probability: 0.5 }, cutmix: { alpha: 1, probability: 0.5 } }],
    [
      "random erasing",
      { erase: { probability: 1, area: [0.2, 0.3], aspect: [1, 1], fill: "noise" as const } },
    ],
    ["TrivialAugment", { policy: { name: "trivialaugment" } }],
    [
      "RandAugment, erasing and Mixup",
      {
        policy: { name: "randaugment" },
        erase: { probability: 0.5, area: [0.02, 0.3], aspect: [0.5, 2], fill: "zero" as const },
        mixup: { alpha: 0.4, probability: 1 },
      },
    ],
  ] as [string, Partial<AugmentOptions>][])(
    "are shown the same images, bit for bit: %s",
    async (_, changes) => {
      const plain = { crop: 1, flip: true };
      const { byTeacher, byStudent } = await shown({ ...plain, ...changes });
      expect(byStudent.length).toBe(5);
      expect(byTeacher).toEqual(byStudent);
      const unchanged = await shown(plain);
      byStudent.forEach((batch, step) => {
        expect(batch).not.toEqual(unchanged.byStudent[step]);
      });
    },
  );
});
