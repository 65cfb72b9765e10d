/**
 * The process of a rank in tests: trains a small network with batch norm for some steps, and tells the loss of each step and a
 * hash of the weights. Its argument is a JSON list of {@link RankTraining}s, and it prints one of {@link RankTrained}s.
 */
import { createHash } from "node:crypto";
import { channelStatistics, Loader, makeSynthetic } from "../../data/index.js";
import { groupFromEnvironment, joinGroup } from "../../distributed/index.js";
import { strict } from "../../methods/index.js";
import { resnet8 } from "../../models/index.js";
import { type Kernels, setKernels } from "../../nn/index.js";
import { SGD } from "../../optim/index.js";
import * as torch from "../../torch/index.js";
import { objectiveOf, Ranks, trainNetwork } from "../index.js";

export interface RankTraining {
  dtype: "float32" | "float64";
  kernels: Kernels;
  syncBatchNorm: boolean;
  /** Images in a batch of all processes; 80 are trained on. */
  batchSize: number;
  epochs: number;
  learningRate: number;
}

export interface RankTrained {
  losses: number[];
  /** A SHA-256. */
  weights: string;
}

const environment = groupFromEnvironment();
const group = environment && (await joinGroup(environment, { timeoutSeconds: 60 }));
const { train } = makeSynthetic({ classes: 4, size: 8, trainCount: 80, testCount: 4, seed: 1 });

async function trained(training: RankTraining): Promise<RankTrained> {
  const { dtype, kernels, syncBatchNorm, batchSize, epochs, learningRate } = training;
  setKernels(kernels);
  const model = resnet8
    .create({ classes: 4, channels: train.channels, generator: new torch.Generator(1) })
    .to({ memoryFormat: "channelsLast", dtype });
  const loader = new Loader(train, {
    ...channelStatistics(train),
    ...{ batchSize, seed: 2, shuffle: true, joinLoneLast: true, augment: { crop: 1, flip: true } },
    ...(group && { ranks: group, fewestPerRank: syncBatchNorm ? 1 : 2 }),
  });
  const losses: number[] = [];
  const learner = {
    model,
    optimizer: new SGD(model.parameters(), { learningRate, momentum: 0.9, weightDecay: 1e-4 }),
    objective: objectiveOf(strict, {}),
    ranks: group && new Ranks(group),
    syncBatchNorm,
  };
  await trainNetwork(learner, {
    ...{ loader: withImagesOf(dtype, loader), epochs, schedule: () => learningRate, reportEvery: 0 },
    observers: [{ onStep: ({ loss }) => void losses.push(loss) }],
  });
  return { losses, weights: hashOf(model.stateDict()) };
}

function withImagesOf(dtype: RankTraining["dtype"], loader: Loader): Loader {
  async function* epoch(...args: Parameters<Loader["epoch"]>) {
    for await (const batch of loader.epoch(...args)) {
      const images = torch.keep(batch.images.to({ dtype }));
      yield { ...batch, images };
      images.dispose();
    }
  }
  return { stepsPerEpoch: loader.stepsPerEpoch, epoch } as unknown as Loader;
}

function hashOf(state: Record<string, torch.Tensor>): string {
  const hash = createHash("sha256");
  for (const tensor of Object.values(state)) {
    const { buffer, byteOffset, byteLength } = tensor.toTypedArray();
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("hex");
}

const all: RankTrained[] = [];
for (const training of JSON.parse(process.argv[2]!) as RankTraining[]) all.push(await trained(training));
await group?.leave();
console.log(JSON.stringify(all));
