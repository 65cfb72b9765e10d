/** A teacher, a student and some batches, which both sides share, and the works that are measured with them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { data, methods, models, nn, optim, torch, training } from "lyceum";
import type { Network } from "./networks.js";
import { isTuned, type Peer } from "./peer.js";
import { countLayers } from "./roofline/layers.js";
import {
  type Load,
  type Passes,
  patriarchLoad,
  scaleLoad,
  studentLoad,
  teacherLoad,
} from "./roofline/load.js";

/** The works that are measured for each network. */
export const networkWorks = ["student-step", "patriarch-step", "teacher-forward", "evaluation"] as const;
export type NetworkWork = (typeof networkWorks)[number];

const batches = 4;
const classes = 100;
const settings = {
  classes,
  hardWeight: 0.5,
  softWeight: 0.5,
  patriarchHardWeight: 0.5,
  k: 5,
  mean: [0.5, 0.45, 0.4],
  std: [0.25, 0.2, 0.3],
};

/**
 * Scales down what the bottlenecks of a fresh network add to their inputs. Fresh weights as they are make gradients so large in
 * so deep a network that rounding reaches the third digit of the loss within three steps, and no losses could be compared.
 */
export function calm(model: nn.Module): void {
  for (const module of model.namedModules().values()) {
    if (module instanceof nn.Bottleneck) torch.noGrad(() => module.bn3.weight.mul_(0.1));
  }
}

const learningRateOf = ({ learningRate = 0.01 }: Network) => learningRate;

/** The times of some steps, and their losses, by which the two sides are compared. */
export interface Taken {
  seconds: number[];
  losses: number[];
}

interface Batch {
  images: torch.Tensor;
  labels: torch.Tensor;
}

/** The number of images that one run of a work goes through. */
export function imagesOf(work: NetworkWork, { batchSize }: Network): number {
  return work === "evaluation" ? 2 * batchSize * batches : batchSize;
}

/** A function that does each work once. Its loss goes into a tensor, so that not every run waits for it. */
type Steps = Record<NetworkWork, () => void | Promise<void>>;

export class Scene {
  readonly #steps: Steps;
  readonly #loss: torch.Tensor;
  readonly #passes: Passes;
  readonly #free: () => void;

  private constructor(steps: Steps, loss: torch.Tensor, passes: Passes, free: () => void) {
    this.#steps = steps;
    this.#loss = loss;
    this.#passes = passes;
    this.#free = free;
  }

  /**
   * Makes networks and batches and hands them over to the peers.
   *
   * @throws Error when a tuned peer on the CPU leaves channels-last, which would make the comparison unfair
   */
  static async set(
    network: Network,
    peers: readonly Peer[],
    { device, recorded }: { device: torch.Device; recorded: boolean },
  ): Promise<Scene> {
    const { batchSize, precision, size } = network;
    const generator = new torch.Generator(0);
    const make = () =>
      models
        .createModel(network.model, { classes, channels: 3, generator })
        .to({ device, memoryFormat: "channelsLast" });
    const [teacher, student] = [make(), make()];
    calm(teacher);
    calm(student);
    const shape = [batchSize, 3, size, size];
    // Numbers are drawn on the CPU, so that they are the same for every device.
    const there = (tensor: torch.Tensor) => torch.keep(tensor.to({ device }));
    const trained: Batch[] = Array.from({ length: batches }, () => ({
      images: there(torch.randn(shape, { generator }).contiguous("channelsLast")),
      labels: there(torch.randint(0, classes, [batchSize], { generator, dtype: "int64" })),
    }));
    const judged = torch.keep(
      torch.randint(0, 256, [imagesOf("evaluation", network), 3, size, size], { generator, dtype: "uint8" }),
    );
    // A forward in training mode gives the teacher running statistics that folding cannot ignore.
    const { images } = trained[0]!;
    const layersOf = (model: nn.Module) =>
      countLayers(model, () => torch.noGrad(() => torch.scope(() => void model.forward(images))));
    const trainedLayers = layersOf(teacher.train());
    await handOver(peers, network, device, { teacher, student, trained, judged });

    // Folding changes the teacher in place, so the peers must have got its weights before.
    const frozen = nn.foldBatchNorm(teacher);
    const passes: Passes = {
      trained: trainedLayers,
      frozen: layersOf(frozen),
      activationBytes: precision === "float32" ? 4 : 2,
    };
    const { hardWeight, softWeight, patriarchHardWeight, k, mean, std } = settings;
    const optimizer = new optim.SGD(student.train().parameters(), {
      learningRate: learningRateOf(network),
      momentum: 0.9,
      weightDecay: 1e-4,
    });
    const scaler = precision === "float16" ? new optim.GradScaler({ device }) : undefined;
    const loader = new data.Loader(imageSet(judged, size), { batchSize: 2 * batchSize, mean, std, device });
    const loss = torch.keep(torch.zeros([], { device }));
    const noteLoss = (found: torch.Tensor) => torch.noGrad(() => void loss.copy_(found));
    let done = 0;
    const batch = () => trained[done++ % batches]!;
    const steppers: training.Stepper[] = [];
    const stepOf = (objective: training.Objective) => {
      let stepper: training.Stepper | undefined;
      const watched: training.Objective = {
        ...objective,
        losses: (...given) => {
          const found = objective.losses(...given);
          noteLoss(found.loss);
          return found;
        },
      };
      return () => {
        if (!stepper) {
          const learner = { model: student, optimizer, objective: watched, precision, device, scaler };
          stepper = stepperOf(learner, recorded);
          steppers.push(stepper);
        }
        stepper.step(batch());
      };
    };
    const steps: Steps = {
      "student-step": stepOf(
        training.objectiveOf(
          methods.distillation,
          { hardWeight, softWeight, temperature: 1 },
          { teachers: [frozen] },
        ),
      ),
      "patriarch-step": stepOf(
        training.objectiveOf(methods.topScoreDifference, { hardWeight: patriarchHardWeight, k }),
      ),
      "teacher-forward": () =>
        torch.scope(() => {
          const { images, labels } = batch();
          const logits = torch.noGrad(() => frozen.forward(images.to({ dtype: precision })));
          noteLoss(torch.crossEntropyLoss(logits.to({ dtype: "float32" }), labels));
        }),
      evaluation: async () => {
        const { logits, labels } = await training.predict(frozen, loader, { device });
        torch.scope(() => noteLoss(torch.crossEntropyLoss(logits, torch.tensor(labels, { dtype: "int64" }))));
        logits.dispose();
      },
    };
    return new Scene(steps, loss, passes, () => {
      for (const stepper of steppers) stepper[Symbol.dispose]();
      for (const part of [loader, optimizer, judged, loss, student, frozen]) part.dispose();
      scaler?.dispose();
      for (const { images, labels } of trained) for (const tensor of [images, labels]) tensor.dispose();
    });
  }

  [Symbol.dispose](): void {
    this.#free();
  }

  /** The arithmetic and the memory traffic that one run of a work needs at least. */
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

  /** @param each whether every run is timed by itself, which makes it wait for its loss; otherwise all are timed together */
  async run(work: NetworkWork, steps: number, each: boolean): Promise<Taken> {
    const taken: Taken = { seconds: [], losses: [] };
    // Reading the loss waits for all that a card was given before the clock starts.
    this.#loss.item();
    const begin = performance.now();
    for (let index = 0; index < steps; index++) {
      const start = performance.now();
      await this.#steps[work]();
      if (!each && index < steps - 1) continue;
      taken.losses.push(this.#loss.item());
      const [since, goes] = each ? [start, 1] : [begin, steps];
      taken.seconds.push((performance.now() - since) / 1000 / goes);
    }
    return taken;
  }
}

/** Takes steps as `lyceum train` does: on a card as a CUDA graph, where the build has them. */
function stepperOf(
  learner: training.Learner & { device: torch.Device },
  recorded: boolean,
): training.Stepper {
  const { device } = learner;
  const can = recorded && device !== "cpu" && torch.hasCudaGraphs() && training.canRecord(learner);
  const graph = can ? new torch.CudaGraph(device) : undefined;
  // No meter: `lyceum train` adds up losses and hits too, by a few operators, which the peers do not do.
  return training.stepperFor(learner, undefined, graph);
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

/** Gives weights and images to the peers, in safetensors files that are removed when all have read them. */
async function handOver(
  peers: readonly Peer[],
  network: Network,
  device: torch.Device,
  { teacher, student, trained, judged }: Shared,
): Promise<void> {
  if (peers.length === 0) return;
  const { label, model, batchSize, precision } = network;
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
      const tuned = isTuned(peer.name);
      const { layoutsLost } = await peer.ask<{ layoutsLost: string[] }>({
        do: "prepare",
        tuned,
        compiled: peer.name === "pytorch-compile",
        model,
        precision,
        teacher: fileOf("teacher"),
        student: fileOf("student"),
        data: fileOf("data"),
        evaluationBatch: 2 * batchSize,
        learningRate: learningRateOf(network),
        ...settings,
      });
      if (layoutsLost.length > 0) {
        const lost = `${peer.name} left channels-last: ${layoutsLost.join(", ")}`;
        if (device === "cpu") throw new Error(`${lost}; the comparison would be unfair`);
        // On a card cuDNN chooses the memory's order itself, so this is only told.
        console.log(`${label}: ${lost}`);
      } else if (tuned)
        console.log(`${label}: ${peer.name} keeps channels-last in every layer, forward and backward`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
