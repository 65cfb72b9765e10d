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
import { trainStep } from "./step.js";

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
  it.each([
    // Rounding errors grow from step to step: PyTorch's own float32 and float64 differ by up to 5e-4 here.
    ["float64", 1e-9],
    ["float32", 1e-3],
  ] as const)("%s, relative to %d", (dtype, tolerance) => {
    const model = filled(1, dtype).train();
    const optimizer = new SGD(model.parameters(), { learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4 });
    const objective = make(dtype);
    const losses = fixture[dtype][name].map((_, step) => {
      const meter = new Meter();
      trainStep({ model, optimizer, objective }, batch(step, dtype), meter);
      return meter.read().loss;
    });
    const far = losses.map((loss, step) => Math.abs(loss / fixture[dtype][name][step]! - 1));
    expect(Math.max(...far)).toBeLessThan(tolerance);
  });
});

it.skipIf(!hasAmx())("20 steps in bfloat16 lose what float32 loses, to its 8 bits", () => {
  const losses = fixture.float32.student.map(() => 0);
  const model = filled(1, "float32").train();
  const optimizer = new SGD(model.parameters(), { learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4 });
  const objective = student(1)("float32");
  for (const step of losses.keys()) {
    const meter = new Meter();
    trainStep({ model, optimizer, objective, precision: "bfloat16" }, batch(step, "float32"), meter);
    losses[step] = meter.read().loss;
  }
  const far = losses.map((loss, step) => Math.abs(loss / fixture.float32.student[step]! - 1));
  expect(Math.max(...far)).toBeLessThan(0.1);
  expect(far[0]).toBeLessThan(0.01);
  // The result must differ from float32's, or bfloat16 would not have been used.
  expect(far[0]).toBeGreaterThan(1e-6);
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
