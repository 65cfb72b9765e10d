import {
  applyInOrder,
  BasicBlock,
  BatchNorm2d,
  type Conv2d,
  GlobalAvgPool,
  Linear,
  Module,
  OptionAShortcut,
  ReLU,
  ResidualStage,
} from "../nn/index.js";
import type * as torch from "../torch/index.js";
import { convolution } from "./convolution.js";
import { defineModel, type ModelOptions } from "./define.js";

/** Two 3x3 convolutions, and option A's shortcut where the shape changes. */
function basicBlock(from: number, to: number, stride: number, generator: torch.Generator): BasicBlock {
  return new BasicBlock({
    conv1: convolution(from, to, 3, { stride, generator }),
    bn1: new BatchNorm2d(to),
    conv2: convolution(to, to, 3, { generator }),
    bn2: new BatchNorm2d(to),
    downsample: from === to && stride === 1 ? undefined : new OptionAShortcut(to, { stride }),
  });
}

/**
 * The residual networks for small images of He et al., "Deep Residual Learning for Image Recognition" (2016), section
 * 4.2: three stages of 16, 32 and 64 channels, 6n + 2 layers, option A shortcuts. Weights carry torchvision's names.
 */
export class CifarResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly relu = new ReLU();
  readonly layer1: ResidualStage;
  readonly layer2: ResidualStage;
  readonly layer3: ResidualStage;
  readonly pool = new GlobalAvgPool();
  readonly fc: Linear;

  /** @throws RangeError when `depth` is not 6n + 2 */
  constructor(depth: number, { classes, channels, generator }: ModelOptions) {
    super();
    const blocks = (depth - 2) / 6;
    if (!(Number.isInteger(blocks) && blocks >= 1))
      throw new RangeError(`depth must be 6n + 2, got ${depth}`);
    const stage = (from: number, to: number, stride: number) =>
      new ResidualStage(
        ...Array.from({ length: blocks }, (_, i) =>
          i === 0 ? basicBlock(from, to, stride, generator) : basicBlock(to, to, 1, generator),
        ),
      );
    this.conv1 = convolution(channels, 16, 3, { generator });
    this.bn1 = new BatchNorm2d(16);
    this.layer1 = stage(16, 16, 1);
    this.layer2 = stage(16, 32, 2);
    this.layer3 = stage(32, 64, 2);
    this.fc = new Linear(64, classes, { generator });
  }

  override batchNormPairs() {
    return [["conv1", "bn1"]] as const;
  }

  /** @param x [N, channels, H, W], channels-last for speed; @returns logits [N, classes] */
  override forward(x: torch.Tensor): torch.Tensor {
    const { conv1, bn1, relu, layer1, layer2, layer3, pool, fc } = this;
    return applyInOrder([conv1, bn1, relu, layer1, layer2, layer3, pool, fc], x);
  }
}

const resnet = (depth: number) =>
  defineModel({
    name: `resnet${depth}`,
    summary: `ResNet of ${depth} layers for small images (He et al. 2016, section 4.2).`,
    construction:
      "conv1 3x3, bn1, ReLU; layer1, layer2, layer3 of " +
      `${(depth - 2) / 6} basic blocks each, of 16, 32 and 64 channels; the mean over all pixels; fc. ` +
      "A basic block is relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)), with 3x3 convolutions; conv1 of the first block " +
      "of layer2 and of layer3 has stride 2. There the shortcut is option A, without parameters: the pixels at even rows and " +
      "columns (x[:, :, ::2, ::2]), with channels of zeros, half of them before and half of them after x's own; elsewhere it " +
      "is x itself. All convolutions have padding 1 and no bias, and begin normal with variance 2 / fan-out; batch norms have " +
      "eps 1e-5 and momentum 0.1 and begin as ones and zeros; fc begins uniform within ±1 / sqrt(64), bias included.",
    create: (options) => new CifarResNet(depth, options),
  });

export const resnet8 = resnet(8);
export const resnet14 = resnet(14);
export const resnet20 = resnet(20);
export const resnet32 = resnet(32);
export const resnet44 = resnet(44);
export const resnet56 = resnet(56);
export const resnet110 = resnet(110);
