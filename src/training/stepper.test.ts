import { describe, expect, it } from "vitest";
import { channelStatistics, Loader, type MixingOptions, makeSynthetic } from "../data/index.js";
import { defineMethod, distillation, strict } from "../methods/index.js";
import { resnet8 } from "../models/index.js";
import { foldBatchNorm } from "../nn/index.js";
import { cosine, GradScaler, SGD, type SGDOptions } from "../optim/index.js";
import { hasFusedUpdate } from "../optim/sgd/fused-update.js";
import * as torch from "../torch/index.js";
import { type EpochReport, objectiveOf, trainNetwork } from "./index.js";
import { Meter } from "./meter.js";
import { stepperFor } from "./stepper.js";

/**
 * A graph that does on the CPU what a CUDA graph does on a card: its replay calls the recorded operators
 * again.
 */
class RepeatedGraph implements torch.StepGraph {
  readonly calls: string[] = [];
  #body = () => {};

  warmUp(body: () => void) {
    this.calls.push("warmUp");
    body();
  }
  record(body: () => void) {
    this.calls.push("record");
    this.#body = body;
  }
  replay() {
    this.calls.push("replay");
    this.#body();
  }
  dispose() {
    this.calls.push("dispose");
  }
}

const { train } = makeSynthetic({ classes: 4, size: 12, trainCount: 86, testCount: 8, seed: 1 });
const fresh = (seed: number) =>
  resnet8.create({ classes: 4, channels: 3, generator: new torch.Generator(seed) }).to({
    memoryFormat: "channelsLast",
  });

function learner(options: Partial<SGDOptions>, scaled = false) {
  const model = fresh(1);
  const optimizer = new SGD(model.parameters(), {
    learningRate: 0,
    momentum: 0.9,
    weightDecay: 1e-4,
    ...options,
  });
  const objective = objectiveOf(
    distillation,
    { hardWeight: 0.5, softWeight: 0.5, temperature: 1 },
    { teachers: [foldBatchNorm(fresh(0))] },
  );
  const scaler = scaled ? new GradScaler({ initialScale: 64, growthInterval: 5 }) : undefined;
  return { model, optimizer, objective, scaler };
}

/** Trains for two epochs, the last batch of each smaller, with another learning rate at each step. */
async function trained(
  options: Partial<SGDOptions>,
  {
    graph,
    scaled = false,
    mixing = {},
  }: { graph?: torch.StepGraph; scaled?: boolean; mixing?: MixingOptions },
) {
  const loader = new Loader(train, {
    ...channelStatistics(train),
    batchSize: 16,
    shuffle: true,
    augment: { crop: 1, flip: true, ...mixing },
    resident: true,
  });
  const reports: Pick<EpochReport, "loss" | "terms" | "top1" | "images">[] = [];
  const one = learner(options, scaled);
  await trainNetwork(one, {
    loader,
    epochs: 2,
    schedule: cosine({ learningRate: 0.1, totalSteps: 12 }),
    graph,
    observers: [
      { onEpoch: ({ loss, terms, top1, images }) => void reports.push({ loss, terms, top1, images }) },
    ],
  });
  const weights = torch.cat(one.model.parameters().map((parameter) => parameter.detach().reshape([-1])));
  return { reports, weights, scale: one.scaler?.stateDict().scale?.item() };
}

describe("a recorded step", () => {
  it.each([
    [{ capturable: true }, false],
    ...(hasFusedUpdate()
      ? ([
          [{ fused: true }, false],
          [{ fused: true }, true],
        ] as const)
      : []),
  ] as const)("trains as steps one by one do, to the bit: %j, scaled: %s", async (options, scaled) => {
    const graph = new RepeatedGraph();
    const recorded = await trained(options, { graph, scaled });
    const eager = await trained(options, { scaled });
    expect(recorded.reports).toEqual(eager.reports);
    expect(recorded.weights.equal(eager.weights)).toBe(true);
    expect(recorded.scale).toBe(eager.scale);
    // An epoch has five whole batches, which can be replayed, and a sixth of six images, which cannot.
    const { calls } = graph;
    expect(calls.slice(0, 5)).toEqual(["warmUp", "warmUp", "warmUp", "record", "replay"]);
    expect(calls.slice(5)).toEqual([...Array<string>(6).fill("replay"), "dispose"]);
    // The result is also that of a learning rate that is a number, up to the rate's rounding to float32.
    const plain = await trained({}, {});
    expect(recorded.weights.allclose(plain.weights, 1e-2, 1e-3)).toBe(true);
    expect(plain.reports[1]!.loss).toBeCloseTo(recorded.reports[1]!.loss, 2);
  });

  it("takes the weight of mixed labels from each batch, though it was recorded with another", async () => {
    const mixing = { mixup: { alpha: 1, probability: 0.4 }, cutmix: { alpha: 1, probability: 0.4 } };
    const graph = new RepeatedGraph();
    const recorded = await trained({ capturable: true }, { graph, mixing });
    const eager = await trained({ capturable: true }, { mixing });
    expect(graph.calls.filter((call) => call === "replay").length).toBe(7);
    expect(recorded.reports).toEqual(eager.reports);
    expect(recorded.weights.equal(eager.weights)).toBe(true);
    const unmixed = await trained({ capturable: true }, {});
    expect(recorded.weights.equal(unmixed.weights)).toBe(false);
  });

  it("takes a batch that is not mixed by itself where a mixed one was recorded, and the other way round", () => {
    const plain = () => ({
      images: torch.randn([4, 3, 12, 12]),
      labels: torch.tensor([0, 1, 2, 3], { dtype: "int64" }),
    });
    const mixed = () => {
      const mix = { otherLabels: torch.tensor([1, 1, 0, 2], { dtype: "int64" }), weight: torch.tensor(0.25) };
      return { ...plain(), mix };
    };
    for (const [recorded, other] of [
      [plain, mixed],
      [mixed, plain],
    ] as const) {
      const graph = new RepeatedGraph();
      const meter = new Meter();
      using stepper = stepperFor(learner({ capturable: true }), meter, graph);
      for (let i = 0; i < 4; i++) stepper.step(recorded());
      stepper.step(other());
      stepper.step(recorded());
      expect(graph.calls).toEqual(["warmUp", "warmUp", "warmUp", "record", "replay", "replay"]);
      expect(meter.read().images).toBe(24);
    }
  });

  it("is refused where the learning rate, or whether to step, would be fixed for ever", () => {
    const make = (options: Partial<SGDOptions>, scaled: boolean) =>
      stepperFor(learner(options, scaled), new Meter(), new RepeatedGraph());
    expect(() => make({}, false)).toThrow("needs a capturable optimiser");
    expect(() => make({ capturable: true }, true)).toThrow("a fused one to scale gradients");
  });

  it("names the way out where it cannot be recorded", () => {
    const graph = new RepeatedGraph();
    graph.record = () => {
      throw new Error("operation not permitted when stream is capturing");
    };
    const stepper = stepperFor(learner({ capturable: true }), new Meter(), graph);
    const batch = {
      images: torch.randn([4, 3, 12, 12]),
      labels: torch.tensor([0, 1, 2, 3], { dtype: "int64" }),
    };
    for (let i = 0; i < 3; i++) stepper.step(batch);
    expect(() => stepper.step(batch)).toThrow(/could not be recorded.*not permitted.*kernels: libtorch/);
  });
});

const hasGraphs = torch.hasCudaGraphs();
it.skipIf(hasGraphs)(
  `says plainly when the build has no CUDA graphs${hasGraphs ? " (skipped: it has)" : ""}`,
  () => {
    expect(() => new torch.CudaGraph("cuda")).toThrow("this build has no CUDA graphs");
  },
);

it("records no step of a method that depends on the progress, which would repeat one number", async () => {
  const seen: number[] = [];
  const scheduled = defineMethod({
    name: "scheduled",
    summary: "Cross-entropy that grows with the progress.",
    formula: "(1 + progress) · CE",
    terms: { hard: "labels" },
    loss: (input) => {
      seen.push(input.progress);
      const { loss, terms } = strict.loss(input, {});
      return { loss: loss.mul(1 + input.progress), terms };
    },
  });
  const graph = new RepeatedGraph();
  const loader = new Loader(train, { ...channelStatistics(train), batchSize: 16, resident: true });
  const one = { ...learner({ capturable: true }), objective: objectiveOf(scheduled, {}) };
  await trainNetwork(one, { loader, epochs: 2, schedule: () => 0.1, graph });
  const steps = 2 * loader.stepsPerEpoch;
  expect(seen).toEqual(Array.from({ length: steps }, (_, step) => step / steps));
  expect(graph.calls).not.toContain("record");
});
