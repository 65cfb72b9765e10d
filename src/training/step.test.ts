import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { distillation, strict, topScoreDifference } from "../methods/index.js";
import { draws, fill } from "../models/fixtures/cases.js";
import { resnet8 } from "../models/index.js";
import { foldBatchNorm, hasAmx, type Module } from "../nn/index.js";
import { GradScaler, SGD } from "../optim/index.js";
import { hasFusedUpdate } from "../optim/sgd/fused-update.js";
import * as torch from "../torch/index.js";
import { native } from "../torch/native.js";
import { settled } from "../torch/testing/settled.js";
import { between, Meter } from "./meter.js";
import { type Objective, objectiveOf } from "./objective.js";
import { type Learner, trainStep } from "./step.js";

type Losses = Record<"patriarch" | "student" | "studentAt4", number[]>;

const fixture: Record<"float32" | "float64", Losses> = JSON.parse(
  readFileSync(new URL("./fixtures/steps.json", import.meta.url), "utf8"),
);

const [batchSize, channels, size, classes] = [8, 3, 12, 10];

/** The batch on which `make.py` has computed the expected values. */
function batch(step: number, dtype: torch.DType) {
  const draw = draws(100 + step);
  const shape = [batchSize, channels, size, size];
  const values = Float64Array.from({ length: batchSize * channels * size * size }, () => draw() * 4);
  const labels = Array.from({ length: batchSize }, (_, i) => (i * 3 + step) % classes);
  return {
    images: torch.tensor(values, { shape, dtype }).contiguous("channelsLast"),
    labels: torch.tensor(labels, { dtype: "int64" }),
  };
}

function filled(seed: number, dtype: torch.DType) {
  const model = resnet8.create({ classes, channels, generator: new torch.Generator(0) });
  model.to({ dtype: "float64", memoryFormat: "channelsLast" });
  fill(model, seed);
  return model.to({ dtype });
}

/** Compares two networks with a short message, since their tensors in numbers would fill a screen. */
function bitsOf(model: Module): string {
  const hash = createHash("sha256");
  for (const parameter of model.parameters()) hash.update(parameter.toTypedArray());
  return hash.digest("hex");
}

const student = (temperature: number) => (dtype: torch.DType) =>
  objectiveOf(
    distillation,
    { hardWeight: 0.6, softWeight: 0.4, temperature },
    { teachers: [foldBatchNorm(filled(5, dtype))] },
  );

const objectives: [keyof Losses, (dtype: torch.DType) => Objective][] = [
  ["patriarch", () => objectiveOf(topScoreDifference, { hardWeight: 0.5, k: 5 })],
  ["student", student(1)],
  ["studentAt4", student(4)],
];

describe.each(objectives)("20 steps beside PyTorch: %s", (name, make) => {
  const trained = (dtype: torch.DType) => {
    const model = filled(1, dtype).train();
    const optimizer = new SGD(model.parameters(), { learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4 });
    return { model, optimizer, objective: make(dtype) };
  };
  const lossOf = (learner: Learner, step: number, dtype: torch.DType) => {
    const meter = new Meter();
    trainStep(learner, batch(step, dtype), meter);
    return meter.read().loss;
  };

  it("in float64, losses are those of PyTorch", () => {
    const learner = trained("float64");
    for (const [step, expected] of fixture.float64[name].entries()) {
      // A rounding grows to some ten thousand times its size in these steps; 1e-9 leaves a hundred times that.
      expect(Math.abs(lossOf(learner, step, "float64") / expected - 1)).toBeLessThan(1e-9);
    }
  });

  it("in float32, each step from float64's weights has float64's loss, to the roundings of its layers", () => {
    const precise = trained("float64");
    const layers = precise.model.namedModules().size;
    for (const step of fixture.float64[name].keys()) {
      // Steps of float32 alone would drift away, as PyTorch's own do: by up to 5e-4.
      const coarse = trained("float32");
      coarse.model.loadStateDict(precise.model.stateDict());
      const loss = lossOf(coarse, step, "float32");
      const exact = lossOf(precise, step, "float64");
      expect(Math.abs(loss / exact - 1)).toBeLessThan(64 * layers * 2 ** -24);
    }
  });
});

it.skipIf(!hasAmx())("a step in bfloat16 loses what float32 loses, to its 8 bits (needs AMX)", () => {
  const model = filled(1, "float32").train();
  const optimizer = new SGD(model.parameters(), { learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4 });
  const meter = new Meter();
  const learner = { model, optimizer, objective: student(1)("float32"), precision: "bfloat16" } as const;
  trainStep(learner, batch(0, "float32"), meter);
  const far = Math.abs(meter.read().loss / fixture.float32.student[0]! - 1);
  expect(far).toBeLessThan(model.namedModules().size * 2 ** -8);
  // The result must differ from float32's, or bfloat16 would not have been used.
  expect(far).toBeGreaterThan(1e-6);
  for (const parameter of model.parameters()) expect(parameter.dtype).toBe("float32");
});

it.each([false, ...(hasFusedUpdate() ? [true] : [])])(
  "20 steps with scaled gradients are the same to the bit; fused SGD: %s",
  (fused) => {
    const run = (scaler?: GradScaler) => {
      const model = filled(1, "float32").train();
      const options = { learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4, fused };
      const optimizer = new SGD(model.parameters(), options);
      const objective = objectiveOf(topScoreDifference, { hardWeight: 0.5, k: 5 });
      const meter = new Meter();
      for (let i = 0; i < 20; i++) {
        trainStep({ model, optimizer, objective, scaler }, batch(i, "float32"), meter);
      }
      return { state: meter.state(), weights: bitsOf(model) };
    };
    // Scales that are powers of two change no digits; the scale grows twice within these steps.
    expect(run(new GradScaler({ initialScale: 1024, growthInterval: 8 }))).toEqual(run());
  },
);

it("a loss that overflows leaves the network as it was, and lowers the scale", () => {
  const model = filled(1, "float32").train();
  const optimizer = new SGD(model.parameters(), { learningRate: 0.05, momentum: 0.9 });
  const plain = objectiveOf(strict, {});
  const objective: Objective = {
    ...plain,
    losses: (...given) => {
      const { loss, terms } = plain.losses(...given);
      return { loss: loss.mul(1e6), terms };
    },
  };
  const scaler = new GradScaler({ initialScale: 2 ** 127 });
  const before = bitsOf(model);
  const meter = new Meter();
  for (let i = 0; i < 3; i++) trainStep({ model, optimizer, objective, scaler }, batch(0, "float32"), meter);
  expect(bitsOf(model)).toBe(before);
  expect(scaler.stateDict().scale!.item()).toBe(2 ** 124);
  // The meter reports the loss itself, not the scaled one.
  expect(meter.read().loss).toBeLessThan(1e7);
});

describe("trainStep", () => {
  it("leaves no tensors behind", () => {
    const model = filled(1, "float32").train();
    const optimizer = new SGD(model.parameters(), { learningRate: 0.05, momentum: 0.9 });
    const objective = objectiveOf(
      distillation,
      { hardWeight: 1, softWeight: 1, temperature: 1 },
      { teachers: [foldBatchNorm(filled(5, "float32"))] },
    );
    const one = batch(0, "float32");
    const meter = new Meter();
    const step = () => trainStep({ model, optimizer, objective }, one, meter);
    step();
    const { tensors, bytes } = settled();
    for (let i = 0; i < 50; i++) step();
    expect(torch.memoryStats()).toEqual({ tensors, bytes });
  });

  it.each([
    ["float32", false],
    ["bfloat16", false],
    ...(hasFusedUpdate() ? ([["float32", true]] as const) : []),
  ] as const)(
    "reads nothing and brings nothing, which a device would wait for: %s, scaled %s",
    (precision, scaled) => {
      const teacher = foldBatchNorm(filled(5, "float32"));
      for (const objective of [
        objectiveOf(strict, {}),
        objectiveOf(topScoreDifference, { hardWeight: 0.5, k: 5 }),
        objectiveOf(distillation, { hardWeight: 1, softWeight: 1, temperature: 2 }, { teachers: [teacher] }),
      ]) {
        const model = filled(1, "float32").train();
        const kind = scaled ? { fused: true } : { capturable: true };
        const optimizer = new SGD(model.parameters(), { learningRate: 0.05, momentum: 0.9, ...kind });
        const scaler = scaled ? new GradScaler() : undefined;
        const [first, second] = [batch(0, "float32"), batch(1, "float32")];
        const meter = new Meter();
        trainStep({ model, optimizer, objective, precision, scaler }, first, meter);
        optimizer.learningRate = 0.01;
        const spies = [
          vi.spyOn(native, "read"),
          vi.spyOn(native, "fromBytes"),
          vi.spyOn(torch.Tensor.prototype, "itemScalar"),
        ];
        trainStep({ model, optimizer, objective, precision, scaler }, second, meter);
        expect(spies.map((spy) => spy.mock.calls.length)).toEqual([0, 0, 0]);
        meter.read();
        expect(spies[0]).toHaveBeenCalledOnce();
        vi.restoreAllMocks();
      }
    },
  );

  it("lets no gradient into the teacher", () => {
    const model = filled(1, "float32").train();
    const teacher = filled(5, "float32").eval();
    const forward = vi.spyOn(teacher, "forward");
    const objective = objectiveOf(
      distillation,
      { hardWeight: 1, softWeight: 1, temperature: 1 },
      { teachers: [teacher] },
    );
    torch.scope(() => {
      const { images, labels } = batch(0, "float32");
      const logits = model.forward(images);
      const { loss } = objective.losses(logits, labels, images);
      expect(forward.mock.results.map(({ value }) => value.requiresGrad)).toEqual([false]);
      loss.backward();
    });
    expect(teacher.parameters().every((parameter) => parameter.grad === undefined)).toBe(true);
    expect(model.parameters().every((parameter) => parameter.grad !== undefined)).toBe(true);
  });
});

describe("Meter", () => {
  const logits = torch.tensor([
    [2, 1],
    [0, 3],
    [5, 0],
  ]);
  const labels = torch.tensor([0, 1, 1], { dtype: "int64" });

  it("weighs batches by their size, and goes on from a saved state", () => {
    const meter = new Meter();
    expect(meter.read().loss).toBeNaN();
    meter.add(logits, labels, { loss: torch.tensor(1), terms: { hard: torch.tensor(3) } });
    const other = new Meter();
    other.restore(JSON.parse(JSON.stringify(meter.state())));
    for (const each of [meter, other]) {
      each.add(logits.slice(0, 0, 1), labels.slice(0, 0, 1), {
        loss: torch.tensor(5),
        terms: { hard: torch.tensor(-1) },
      });
      expect(each.read()).toEqual({ loss: 2, terms: { hard: 2 }, top1: 0.75, images: 4 });
    }
  });

  it("keeps its sums in one place through the epochs", () => {
    const meter = new Meter();
    const add = () => meter.add(logits, labels, { loss: torch.tensor(2), terms: { hard: torch.tensor(1) } });
    add();
    const saved = meter.state();
    meter.restore({ names: [], sums: [], images: 0 });
    expect(meter.read().loss).toBeNaN();
    add();
    expect(meter.state()).toEqual(saved);
    const { tensors } = settled();
    meter.restore(saved);
    add();
    expect(meter.read()).toEqual({ loss: 2, terms: { hard: 1 }, top1: 2 / 3, images: 6 });
    expect(settled().tensors).toBe(tensors);
  });

  it("tells what came between two of its states", () => {
    const meter = new Meter();
    const empty = meter.state();
    const add = (value: number) =>
      meter.add(logits, labels, { loss: torch.tensor(value), terms: { hard: torch.tensor(2 * value) } });
    add(8);
    const first = meter.state();
    add(1);
    add(2);
    const later = between(first, meter.state());
    expect(later).toEqual({ loss: 1.5, terms: { hard: 3 }, top1: 2 / 3, images: 6 });
    for (const start of [undefined, empty]) expect(between(start, meter.state())).toEqual(meter.read());
  });

  it("reads the strict objective's one term", () => {
    const meter = new Meter();
    meter.add(logits, labels, objectiveOf(strict, {}).losses(logits, labels, logits));
    expect(Object.keys(meter.read().terms)).toEqual(["hard"]);
    meter.reset();
    expect(meter.read().images).toBe(0);
  });
});
