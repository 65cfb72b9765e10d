import {
  applyInOrder,
  BasicBlock,
  BatchNorm2d,
  type Conv2d,
  GlobalAvgPool,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  ResidualStage,
  Sequential,
} from "../nn/index.js";
import type * as torch from "../torch/index.js";
import { convolution } from "./convolution.js";
import { defineModel, type ModelOptions } from "./define.js";

/** Two 3x3 convolutions and a shortcut, which a 1x1 convolution fits where the shape changes ("option B"). */
function basicBlock(from: number, to: number, stride: number, generator: torch.Generator): BasicBlock {
  const layers = {
    conv1: convolution(from, to, 3, { stride, generator }),
    bn1: new BatchNorm2d(to),
    conv2: convolution(to, to, 3, { generator }),
    bn2: new BatchNorm2d(to),
  };
  if (stride === 1 && from === to) return new BasicBlock(layers);
  const fit = convolution(from, to, 1, { stride, generator });
  return new BasicBlock({ ...layers, downsample: new Sequential(fit, new BatchNorm2d(to)) });
}

export interface ResNetOptions extends ModelOptions {
  /** How many blocks each of the four stages has: 2, 2, 2, 2 make ResNet-18, and 3, 4, 6, 3 ResNet-34. */
  blocks: readonly [number, number, number, number];
}

/**
 * The residual networks for large images of He et al., "Deep Residual Learning for Image Recognition" (2016), table 1,
 * those of basic blocks. Weights carry torchvision's names: its files fit.
 */
export class ResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly relu = new ReLU();
  readonly maxpool = new MaxPool2d(3, { stride: 2, padding: 1 });
  readonly layer1: ResidualStage;
  readonly layer2: ResidualStage;
  readonly layer3: ResidualStage;
  readonly layer4: ResidualStage;
  readonly avgpool = new GlobalAvgPool();
  readonly fc: Linear;

  constructor({ blocks, classes, channels, generator }: ResNetOptions) {
    super();
    const stage = (from: number, to: number, count: number, stride: number) =>
      new ResidualStage(
        ...Array.from({ length: count }, (_, i) =>
          i === 0 ? basicBlock(from, to, stride, generator) : basicBlock(to, to, 1, generator),
        ),
      );
    this.conv1 = convolution(channels, 64, 7, { stride: 2, generator });
    this.bn1 = new BatchNorm2d(64);
    this.layer1 = stage(64, 64, blocks[0], 1);
    this.layer2 = stage(64, 128, blocks[1], 2);
    this.layer3 = stage(128, 256, blocks[2], 2);
    this.layer4 = stage(256, 512, blocks[3], 2);
    this.fc = new Linear(512, classes, { generator });
  }

  override batchNormPairs() {
    return [["conv1", "bn1"]] as const;
  }

  /** @param x [N, channels, H, W], channels-last for speed; @returns logits [N, classes] */
  override forward(x: torch.Tensor): torch.Tensor {
    const { conv1, bn1, relu, maxpool, layer1, layer2, layer3, layer4, avgpool, fc } = this;
    return applyInOrder([conv1, bn1, relu, maxpool, layer1, layer2, layer3, layer4, avgpool, fc], x);
  }
}

const resnet = (depth: number, blocks: ResNetOptions["blocks"]) =>
  defineModel({
    name: `resnet${depth}`,
    summary: `ResNet-${depth} for large images (He et al. 2016, table 1).`,
    construction:
      "conv1 7x7 of stride 2 and padding 3, bn1, ReLU, maxpool 3x3 of stride 2 and padding 1; layer1 to layer4 of " +
      `${blocks.join(", ")} basic blocks, of 64, 128, 256 and 512 channels; the mean over all pixels; fc: torchvision's ` +
      `resnet${depth}. A basic block is relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)), with 3x3 convolutions of padding ` +
      "1; conv1 of the first block of layer2, layer3 and layer4 has stride 2. There the shortcut is downsample, a 1x1 " +
      "convolution of stride 2 with batch norm (option B); elsewhere it is x itself. Convolutions have no bias and begin " +
      "normal with variance 2 / fan-out; batch norms have eps 1e-5 and momentum 0.1 and begin as ones and zeros; fc begins " +
      "uniform within ±1 / sqrt(512), bias included.",
    create: (options) => new ResNet({ ...options, blocks }),
  });

export const resnet18 = resnet(18, [2, 2, 2, 2]);
export const resnet34 = resnet(34, [3, 4, 6, 3]);
