/**
 * The process of a rank in tests: trains a small network with batch norm for some steps, and tells the loss of each step and a
 * hash of the weights. Its argument is a JSON list of {@link RankTraining}s, and it prints one of {@link RankTrained}s.
 */
import { createHash } from "node:crypto";
import { channelStatistics, Loader, makeSynthetic } from "../../data/index.js";
import { groupFromEnvironment, joinGroup } from "../../distributed/index.js";
import { strict } from "../../methods/index.js";
import { resnet8 } from "../../models/index.js";
import * as nn from "../../nn/index.js";
import { SGD } from "../../optim/index.js";
import * as torch from "../../torch/index.js";
import { objectiveOf, Ranks, trainNetwork } from "../index.js";

export interface RankTraining {
  /** ResNet-8, or a network of one residual block: each batch norm of all images means four waits for the others in a step. */
  network: "resnet8" | "one-block";
  dtype: "float32" | "float64";
  kernels: nn.Kernels;
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

function makeNetwork(network: RankTraining["network"]): nn.Module {
  const [classes, generator] = [4, new torch.Generator(1)];
  if (network === "resnet8") return resnet8.create({ classes, channels: train.channels, generator });
  const convolution = (from: number) => new nn.Conv2d(from, 8, 3, { padding: 1, bias: false, generator });
  return new nn.Sequential(
    ...[convolution(train.channels), new nn.BatchNorm2d(8), new nn.ReLU()],
    new nn.BasicBlock({
      ...{ conv1: convolution(8), bn1: new nn.BatchNorm2d(8) },
      ...{ conv2: convolution(8), bn2: new nn.BatchNorm2d(8), downsample: undefined },
    }),
    ...[new nn.GlobalAvgPool(), new nn.Linear(8, classes, { generator })],
  );
}

async function trained(training: RankTraining): Promise<RankTrained> {
  const { network, dtype, kernels, syncBatchNorm, batchSize, epochs, learningRate } = training;
  nn.setKernels(kernels);
  const model = makeNetwork(network).to({ memoryFormat: "channelsLast", dtype });
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
