/** Tests of what only a card can show, which are skipped where there is none. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { channelStatistics, Loader, makeSynthetic } from "./data/index.js";
import { trainGenerations } from "./generations/index.js";
import { distillation } from "./methods/index.js";
import { resnet8 } from "./models/index.js";
import { foldBatchNorm, setKernels } from "./nn/index.js";
import { cosine, GradScaler, SGD } from "./optim/index.js";
import * as torch from "./torch/index.js";
import {
  type EpochReport,
  loadCheckpoint,
  objectiveOf,
  type Precision,
  saveCheckpoint,
  trainNetwork,
} from "./training/index.js";

const here = torch.cudaAvailable();
const why = here ? "" : " (skipped: no CUDA device)";
const graphs = torch.hasCudaGraphs();
const whyNoGraphs = graphs ? "" : " (skipped: the build has none)";
const { train } = makeSynthetic({ classes: 4, size: 16, trainCount: 150, testCount: 8, seed: 1 });
const folder = mkdtempSync(join(tmpdir(), "lyceum-cuda-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => setKernels("fast"));

function learner(device: torch.Device, precision: Precision) {
  const fresh = (seed: number) =>
    resnet8.create({ classes: 4, channels: 3, generator: new torch.Generator(seed) }).to({
      device,
      memoryFormat: "channelsLast",
    });
  const model = fresh(1);
  const options = { learningRate: 0, momentum: 0.9, weightDecay: 1e-4 };
  const optimizer = new SGD(model.parameters(), options);
  const objective = objectiveOf(
    distillation,
    { hardWeight: 0.5, softWeight: 0.5, temperature: 1 },
    { teachers: [foldBatchNorm(fresh(0))] },
  );
  const scaler = precision === "float16" ? new GradScaler({ device }) : undefined;
  return { model, optimizer, objective, device, precision, scaler };
}

const loaderOn = (device: torch.Device, resident?: boolean) =>
  new Loader(train, {
    ...channelStatistics(train),
    batchSize: 32,
    shuffle: true,
    augment: { crop: 2, flip: true },
    device,
    resident,
  });

/** Three epochs of four whole batches and a smaller one, with another learning rate at each step. */
async function trained(
  device: torch.Device,
  {
    precision = "float32",
    graph = false,
    resident = true,
  }: { precision?: Precision; graph?: boolean; resident?: boolean } = {},
) {
  const one = learner(device, precision);
  const reports: EpochReport[] = [];
  await trainNetwork(one, {
    loader: loaderOn(device, device === "cpu" ? false : resident),
    epochs: 3,
    schedule: cosine({ learningRate: 0.05, totalSteps: 15 }),
    graph: graph ? new torch.CudaGraph(device) : undefined,
    observers: [{ onEpoch: (report) => void reports.push(report) }],
  });
  const weights = torch.cat(one.model.parameters().map((p) => p.detach().reshape([-1])));
  return { ...one, losses: reports.map(({ loss }) => loss), weights: weights.to({ device: "cpu" }) };
}

/** The largest difference, relative to `b`. */
const difference = (a: number[], b: number[]) =>
  Math.max(...a.map((value, i) => Math.abs(value / b[i]! - 1)));

describe.skipIf(!here)(`on a card${why}`, () => {
  it.each([true, false])("batches are those of the CPU to the bit; resident: %s", async (resident) => {
    const [cpu, cuda] = [loaderOn("cpu", false).epoch(3), loaderOn("cuda", resident).epoch(3)];
    for await (const mine of cpu) {
      const { value } = await cuda.next();
      const there = value as typeof mine;
      expect(there.images.device).toMatch(/^cuda/);
      expect(there.images.isContiguous("channelsLast")).toBe(true);
      expect(there.images.to({ device: "cpu" }).equal(mine.images)).toBe(true);
      expect(there.labels.to({ device: "cpu" }).equal(mine.labels)).toBe(true);
    }
  });

  it("a student learns what it learns on the CPU, and the same bits again, by exact kernels", async () => {
    setKernels("exact");
    const [cpu, cuda, again] = [await trained("cpu"), await trained("cuda"), await trained("cuda")];
    // Training amplifies rounding: how much, another order of the sums on the CPU tells.
    setKernels("libtorch");
    const rounding = difference((await trained("cpu")).losses, cpu.losses);
    expect(difference(cuda.losses, cpu.losses)).toBeLessThan(100 * Math.max(rounding, 2 ** -24));
    expect(again.weights.equal(cuda.weights)).toBe(true);
  });

  it("batches that come from the CPU one by one train alike", async () => {
    setKernels("exact");
    const [resident, sent] = [await trained("cuda"), await trained("cuda", { resident: false })];
    expect(sent.weights.equal(resident.weights)).toBe(true);
  });

  it.each(["bfloat16", "float16"] as const)("%s loses what float32 loses", async (precision) => {
    const [float32, reduced] = [await trained("cuda"), await trained("cuda", { precision })];
    // 32 units of bfloat16, which rounds to 8 bits; float16 rounds to 11, but leaves steps out while it finds its scale.
    expect(difference(reduced.losses, float32.losses)).toBeLessThan(32 * 2 ** -8);
  });

  describe.skipIf(!graphs)(`with CUDA graphs${whyNoGraphs}`, () => {
    it.each(["float32", "bfloat16", "float16"] as const)(
      "a recorded step is the step, in %s",
      async (precision) => {
        setKernels("exact");
        const [eager, recorded] = [
          await trained("cuda", { precision }),
          await trained("cuda", { precision, graph: true }),
        ];
        expect(recorded.losses).toEqual(eager.losses);
        expect(recorded.weights.equal(eager.weights)).toBe(true);
      },
    );

    it("records no step that waits for the card, and goes on afterwards", () => {
      const graph = new torch.CudaGraph("cuda");
      const x = torch.ones([4], { device: "cuda" });
      graph.warmUp(() => void x.sum().item());
      expect(() => graph.record(() => void x.sum().item())).toThrow();
      graph.dispose();
      expect(x.add(1).sum().item()).toBe(8);
    });

    it("replays with what its inputs hold then", () => {
      const graph = new torch.CudaGraph("cuda");
      const [x, y] = [torch.zeros([2], { device: "cuda" }), torch.zeros([2], { device: "cuda" })];
      const body = () => torch.scope(() => void y.copy_(x.mul(3).add(1)));
      graph.warmUp(body);
      graph.record(body);
      x.fill_(5);
      graph.replay();
      expect(y.tolist()).toEqual([16, 16]);
      graph.dispose();
    });
  });

  it("a checkpoint written on the card goes on there and on the CPU", async () => {
    const one = await trained("cuda", { precision: "float16" });
    const { model } = one;
    const path = join(folder, "state.safetensors");
    const position = {
      epoch: 1,
      step: 0,
      meter: { names: [], sums: [], images: 0 },
      seconds: 1,
      epochSeconds: 0,
      elapsedSeconds: 2,
    };
    saveCheckpoint(path, one, position);
    for (const device of ["cuda", "cpu"] as const) {
      const other = learner(device, "float16");
      expect(loadCheckpoint(path, other)).toEqual(position);
      expect(other.model.conv1.weight.device.startsWith(device)).toBe(true);
      expect(
        other.model.conv1.weight.to({ device: "cpu" }).equal(model.conv1.weight.to({ device: "cpu" })),
      ).toBe(true);
    }
  });

  it.each(["float32", "bfloat16", "float16"] as const)(
    "a line of generations is trained in %s",
    async (precision) => {
      const data = {
        name: "synthetic",
        classes: 3,
        size: 16,
        trainCount: 600,
        testCount: 200,
        heldOut: 0.1,
      } as const;
      const result = await trainGenerations({
        data,
        model: "resnet8",
        patriarch: { k: 3 },
        device: "cuda",
        precision,
        generations: 2,
        epochs: 10,
        batchSize: 32,
        schedule: { kind: "cosine" },
      });
      for (const { test } of result.generations) expect(test.top1).toBeGreaterThan(0.5);
    },
  );
});
