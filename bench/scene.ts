/** A teacher, a student and some batches, the same on both sides, and the works that are done with them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { data, models, nn, optim, torch, training } from "lyceum";
import type { Network } from "./networks.js";
import type { Peer } from "./peer.js";
import { countLayers } from "./roofline/layers.js";
import {
  type Load,
  type Passes,
  patriarchLoad,
  scaleLoad,
  studentLoad,
  teacherLoad,
} from "./roofline/load.js";

/** What is measured of a network. */
export const networkWorks = ["student-step", "patriarch-step", "teacher-forward", "evaluation"] as const;
export type NetworkWork = (typeof networkWorks)[number];

const batches = 4;
const classes = 100;
const settings = {
  classes,
  learningRate: 0.01,
  hardWeight: 0.5,
  softWeight: 0.5,
  patriarchHardWeight: 0.5,
  k: 5,
  mean: [0.5, 0.45, 0.4],
  std: [0.25, 0.2, 0.3],
};

/** What some steps took, and the loss of each, by which the two sides are compared. */
export interface Taken {
  seconds: number[];
  losses: number[];
}

interface Batch {
  images: torch.Tensor;
  labels: torch.Tensor;
}

/** How many images a single go of a work is about. */
export function imagesOf(work: NetworkWork, { batchSize }: Network): number {
  return work === "evaluation" ? 2 * batchSize * batches : batchSize;
}

type Steps = Record<NetworkWork, () => number | Promise<number>>;

export class Scene {
  readonly #steps: Steps;
  readonly #passes: Passes;
  readonly #free: () => void;

  private constructor(steps: Steps, passes: Passes, free: () => void) {
    this.#steps = steps;
    this.#passes = passes;
    this.#free = free;
  }

  /** Also hands everything over to the peers; throws where one lost the layout that it is to keep. */
  static async set(network: Network, peers: readonly Peer[]): Promise<Scene> {
    const { batchSize, precision, size } = network;
    const generator = new torch.Generator(0);
    const make = () =>
      models
        .createModel(network.model, { classes, channels: 3, generator })
        .to({ memoryFormat: "channelsLast" });
    const [teacher, student] = [make(), make()];
    const shape = [batchSize, 3, size, size];
    const trained: Batch[] = Array.from({ length: batches }, () => ({
      images: torch.keep(torch.randn(shape, { generator }).contiguous("channelsLast")),
      labels: torch.keep(torch.randint(0, classes, [batchSize], { generator, dtype: "int64" })),
    }));
    const judged = torch.keep(
      torch.randint(0, 256, [imagesOf("evaluation", network), 3, size, size], { generator, dtype: "uint8" }),
    );
    // Running statistics of a network that has seen data, so that folding them changes something.
    const { images } = trained[0]!;
    const layersOf = (model: nn.Module) =>
      countLayers(model, () => torch.noGrad(() => torch.scope(() => void model.forward(images))));
    const trainedLayers = layersOf(teacher.train());
    await handOver(peers, network, { teacher, student, trained, judged });

    // In place, so after the peers have got the weights.
    const frozen = nn.foldBatchNorm(teacher);
    const passes: Passes = {
      trained: trainedLayers,
      frozen: layersOf(frozen),
      activationBytes: precision === "bfloat16" ? 2 : 4,
    };
    const { learningRate, hardWeight, softWeight, patriarchHardWeight, k, mean, std } = settings;
    const optimizer = new optim.SGD(student.train().parameters(), {
      learningRate,
      momentum: 0.9,
      weightDecay: 1e-4,
    });
    const loader = new data.Loader(imageSet(judged, size), { batchSize: 2 * batchSize, mean, std });
    let done = 0;
    const batch = () => trained[done++ % batches]!;
    const stepOf = (objective: training.Objective) => (): number => {
      let loss = Number.NaN;
      const watched: training.Objective = (...given) => {
        const found = objective(...given);
        loss = found.loss.item();
        return found;
      };
      training.trainStep({ model: student, optimizer, objective: watched, precision }, batch());
      return loss;
    };
    const steps: Steps = {
      "student-step": stepOf(training.studentObjective(frozen, { hardWeight, softWeight })),
      "patriarch-step": stepOf(training.patriarchObjective({ hardWeight: patriarchHardWeight, k })),
      "teacher-forward": () =>
        torch.scope(() => {
          const { images, labels } = batch();
          const logits = torch.noGrad(() => frozen.forward(images.to({ dtype: precision })));
          return torch.crossEntropyLoss(logits.to({ dtype: "float32" }), labels).item();
        }),
      evaluation: async () => {
        const { logits, labels } = await training.answer(frozen, loader);
        const loss = torch.scope(() =>
          torch.crossEntropyLoss(logits, torch.tensor(labels, { dtype: "int64" })).item(),
        );
        logits.dispose();
        return loss;
      },
    };
    return new Scene(steps, passes, () => {
      loader.dispose();
      optimizer.dispose();
      judged.dispose();
      for (const model of [student, frozen]) model.dispose();
      for (const { images, labels } of trained) for (const tensor of [images, labels]) tensor.dispose();
    });
  }

  [Symbol.dispose](): void {
    this.#free();
  }

  /** What a single go of a work asks of the machine. */
  load(work: NetworkWork): Load {
    switch (work) {
      case "student-step":
        return studentLoad(this.#passes);
      case "patriarch-step":
        return patriarchLoad(this.#passes);
      case "teacher-forward":
        return teacherLoad(this.#passes);
      case "evaluation":
        return scaleLoad(teacherLoad(this.#passes), 2 * batches);
    }
  }

  async run(work: NetworkWork, steps: number): Promise<Taken> {
    const taken: Taken = { seconds: [], losses: [] };
    for (let index = 0; index < steps; index++) {
      const start = performance.now();
      taken.losses.push(await this.#steps[work]());
      taken.seconds.push((performance.now() - start) / 1000);
    }
    return taken;
  }
}

function imageSet(images: torch.Tensor, size: number): data.ImageSet {
  const count = images.shape[0]!;
  return {
    name: "random bytes",
    images: images.toTypedArray() as Uint8Array,
    labels: Int32Array.from({ length: count }, (_, index) => index % classes),
    count,
    channels: 3,
    height: size,
    width: size,
    classNames: Array.from({ length: classes }, String),
  };
}

interface Shared {
  teacher: nn.Module;
  student: nn.Module;
  trained: Batch[];
  judged: torch.Tensor;
}

/** Weights and images, in safetensors files. */
async function handOver(
  peers: readonly Peer[],
  { label, model, batchSize, precision }: Network,
  { teacher, student, trained, judged }: Shared,
): Promise<void> {
  if (peers.length === 0) return;
  const folder = await mkdtemp(join(tmpdir(), "lyceum-bench-"));
  try {
    const fileOf = (name: string) => join(folder, `${name}.safetensors`);
    torch.saveSafetensors(fileOf("teacher"), teacher.stateDict());
    torch.saveSafetensors(fileOf("student"), student.stateDict());
    torch.scope(() =>
      torch.saveSafetensors(fileOf("data"), {
        images: torch.stack(trained.map((batch) => batch.images)),
        labels: torch.stack(trained.map((batch) => batch.labels)),
        judged,
      }),
    );
    for (const peer of peers) {
      const tuned = peer.name === "pytorch-tuned";
      const { layoutsLost } = await peer.ask<{ layoutsLost: string[] }>({
        do: "prepare",
        tuned,
        model,
        precision,
        teacher: fileOf("teacher"),
        student: fileOf("student"),
        data: fileOf("data"),
        evaluationBatch: 2 * batchSize,
        ...settings,
      });
      if (layoutsLost.length > 0) {
        throw new Error(
          `${peer.name} left channels-last, the comparison would be unfair: ${layoutsLost.join(", ")}`,
        );
      }
      if (tuned)
        console.log(`${label}: ${peer.name} keeps channels-last in every layer, forward and backward`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
