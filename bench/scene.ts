/** A teacher, a student and some batches, the same on both sides, and the works that are done with them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { models, nn, optim, torch, training } from "lyceum";
import type { Peer } from "./peer.js";

/** What is measured of a network. */
export const networkWorks = ["student-step", "patriarch-step", "teacher-forward"] as const;
export type NetworkWork = (typeof networkWorks)[number];

export interface Network {
  name: string;
  /** Of each stage. */
  blocks: number;
  precision: training.Precision;
}

export const batchSize = 128;
const batches = 4;
const classes = 100;
const settings = {
  classes,
  learningRate: 0.01,
  hardWeight: 0.5,
  softWeight: 0.5,
  patriarchHardWeight: 0.5,
  k: 5,
};

/** What some steps took, and a value of each by which the two sides are compared: the loss, or the mean logit. */
export interface Taken {
  seconds: number[];
  values: number[];
}

export class Scene {
  readonly #steps: Record<NetworkWork, () => number>;
  readonly #free: () => void;

  private constructor(steps: Record<NetworkWork, () => number>, free: () => void) {
    this.#steps = steps;
    this.#free = free;
  }

  /** Also hands everything over to the peers; throws where one lost the layout that it is to keep. */
  static async set(network: Network, peers: readonly Peer[]): Promise<Scene> {
    const { precision } = network;
    const generator = new torch.Generator(0);
    const options = { classes, channels: 3, generator };
    const make = () => models.createModel(network.name, options).to({ memoryFormat: "channelsLast" });
    const [teacher, student] = [make(), make()];
    const data = Array.from({ length: batches }, () => ({
      images: torch.keep(torch.randn([batchSize, 3, 32, 32], { generator }).contiguous("channelsLast")),
      labels: torch.keep(torch.randint(0, classes, [batchSize], { generator, dtype: "int64" })),
    }));
    // Running statistics of a network that has seen data, so that folding them changes something.
    torch.noGrad(() => torch.scope(() => void teacher.train().forward(data[0]!.images)));
    await handOver(peers, network, teacher, student, data);

    // In place, so after the peers have got the weights.
    const frozen = nn.foldBatchNorm(teacher);
    const { learningRate, hardWeight, softWeight, patriarchHardWeight, k } = settings;
    const optimizer = new optim.SGD(student.train().parameters(), {
      learningRate,
      momentum: 0.9,
      weightDecay: 1e-4,
    });
    let done = 0;
    const batch = () => data[done++ % batches]!;
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
    const steps = {
      "student-step": stepOf(training.studentObjective(frozen, { hardWeight, softWeight })),
      "patriarch-step": stepOf(training.patriarchObjective({ hardWeight: patriarchHardWeight, k })),
      "teacher-forward": () =>
        torch.scope(() =>
          torch.noGrad(() =>
            frozen
              .forward(batch().images.to({ dtype: precision }))
              .mean()
              .item(),
          ),
        ),
    };
    return new Scene(steps, () => {
      optimizer.dispose();
      for (const model of [student, frozen]) model.dispose();
      for (const { images, labels } of data) for (const tensor of [images, labels]) tensor.dispose();
    });
  }

  [Symbol.dispose](): void {
    this.#free();
  }

  run(work: NetworkWork, steps: number): Taken {
    const taken: Taken = { seconds: [], values: [] };
    for (let index = 0; index < steps; index++) {
      const start = performance.now();
      taken.values.push(this.#steps[work]());
      taken.seconds.push((performance.now() - start) / 1000);
    }
    return taken;
  }
}

/** Weights and batches, in a safetensors file each. */
async function handOver(
  peers: readonly Peer[],
  { name, blocks, precision }: Network,
  teacher: nn.Module,
  student: nn.Module,
  data: { images: torch.Tensor; labels: torch.Tensor }[],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "lyceum-bench-"));
  try {
    const [teacherFile, studentFile, dataFile] = ["teacher", "student", "data"].map((file) =>
      join(folder, `${file}.safetensors`),
    ) as [string, string, string];
    torch.saveSafetensors(teacherFile, teacher.stateDict());
    torch.saveSafetensors(studentFile, student.stateDict());
    torch.scope(() =>
      torch.saveSafetensors(dataFile, {
        images: torch.stack(data.map((batch) => batch.images)),
        labels: torch.stack(data.map((batch) => batch.labels)),
      }),
    );
    const files = { teacher: teacherFile, student: studentFile, data: dataFile };
    for (const peer of peers) {
      const tuned = peer.name === "pytorch-tuned";
      const { layoutsLost } = await peer.ask<{ layoutsLost: string[] }>({
        do: "prepare",
        tuned,
        blocks,
        precision,
        ...files,
        ...settings,
      });
      if (layoutsLost.length > 0) {
        throw new Error(
          `${peer.name} left channels-last, the comparison would be unfair: ${layoutsLost.join(", ")}`,
        );
      }
      if (tuned)
        console.log(`${name}: ${peer.name} keeps channels-last in every layer, forward and backward`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
