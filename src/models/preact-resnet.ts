import {
  applyInOrder,
  BatchNorm2d,
  Conv2d,
  GlobalAvgPool,
  Linear,
  Module,
  ReLU,
  ResidualStage,
  Sequential,
} from "../nn/index.js";
import type * as torch from "../torch/index.js";
import { defineModel, type ModelOptions } from "./define.js";

/** A convolution without bias that begins as PyTorch's do, uniform within ±1 / sqrt(fan-in). */
function plainConvolution(
  from: number,
  to: number,
  window: 1 | 3,
  { stride = 1, generator }: { stride?: number; generator: torch.Generator },
): Conv2d {
  return new Conv2d(from, to, window, { stride, padding: (window - 1) / 2, bias: false, generator });
}

/**
 * A block whose norms and ReLUs stand before its convolutions. The shortcut begins after the first ReLU in every block, not
 * only where a 1x1 convolution makes it fit.
 */
class PreActBlock extends Module {
  readonly bn1: BatchNorm2d;
  readonly conv1: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly shortcut: Sequential | undefined;

  constructor(from: number, to: number, stride: number, generator: torch.Generator) {
    super();
    this.bn1 = new BatchNorm2d(from);
    this.conv1 = plainConvolution(from, to, 3, { stride, generator });
    this.bn2 = new BatchNorm2d(to);
    this.conv2 = plainConvolution(to, to, 3, { generator });
    if (stride !== 1 || from !== to)
      this.shortcut = new Sequential(plainConvolution(from, to, 1, { stride, generator }));
  }

  override batchNormPairs() {
    return [["conv1", "bn2"]] as const;
  }

  /** @param x [N, C, H, W] */
  override forward(x: torch.Tensor): torch.Tensor {
    const { bn1, conv1, bn2, conv2, shortcut } = this;
    const active = bn1.forward(x, { relu: true });
    const inner = bn2.forward(conv1.forward(active), { relu: true });
    return conv2.forward(inner).add(shortcut ? shortcut.forward(active) : active);
  }
}

export interface PreActResNetOptions extends ModelOptions {
  /** How many blocks each of the four stages has: 2, 2, 2, 2 make PreAct-ResNet-18, and 3, 4, 6, 3 PreAct-ResNet-34. */
  blocks: readonly [number, number, number, number];
  /** Channels of the first stage; each later stage has twice as many as the one before. Default: 64. */
  firstChannels?: number;
}

/**
 * Residual networks for small images with pre-activation (He et al., "Identity Mappings in Deep Residual Networks", 2016), in
 * the form in which studies of self-distillation on CIFAR-100 use them: that of CS-KD (Yun et al. 2020) and PS-KD (Kim et al.
 * 2021), whose names of weights they carry.
 *
 * That form departs from He et al. in three points: norm and ReLU follow the first convolution, the shortcut is taken after
 * the first norm and ReLU in every block, and neither stands behind the last block. All weights begin as PyTorch's layers do.
 */
export class PreActResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly relu = new ReLU();
  readonly layer1: ResidualStage;
  readonly layer2: ResidualStage;
  readonly layer3: ResidualStage;
  readonly layer4: ResidualStage;
  readonly pool = new GlobalAvgPool();
  readonly linear: Linear;

  constructor({ blocks, firstChannels: first = 64, classes, channels, generator }: PreActResNetOptions) {
    super();
    const stage = (from: number, to: number, count: number, stride: number) =>
      new ResidualStage(
        ...Array.from({ length: count }, (_, i) =>
          i === 0 ? new PreActBlock(from, to, stride, generator) : new PreActBlock(to, to, 1, generator),
        ),
      );
    this.conv1 = plainConvolution(channels, first, 3, { generator });
    this.bn1 = new BatchNorm2d(first);
    this.layer1 = stage(first, first, blocks[0], 1);
    this.layer2 = stage(first, 2 * first, blocks[1], 2);
    this.layer3 = stage(2 * first, 4 * first, blocks[2], 2);
    this.layer4 = stage(4 * first, 8 * first, blocks[3], 2);
    this.linear = new Linear(8 * first, classes, { generator });
  }

  override batchNormPairs() {
    return [["conv1", "bn1"]] as const;
  }

  /** @param x [N, channels, H, W], channels-last for speed; @returns logits [N, classes] */
  override forward(x: torch.Tensor): torch.Tensor {
    const { conv1, bn1, relu, layer1, layer2, layer3, layer4, pool, linear } = this;
    return applyInOrder([conv1, bn1, relu, layer1, layer2, layer3, layer4, pool, linear], x);
  }
}

const preActResNet = (depth: number, blocks: PreActResNetOptions["blocks"]) =>
  defineModel({
    name: `preact-resnet${depth}`,
    summary: `ResNet-${depth} with pre-activation for small images, as CS-KD and PS-KD have it.`,
    construction:
      "conv1 3x3, bn1, ReLU; layer1 to layer4 of " +
      `${blocks.join(", ")} blocks, of 64, 128, 256 and 512 channels; the mean over all pixels, without norm or ReLU before ` +
      "it; linear. A block is conv2(relu(bn2(conv1(a)))) + shortcut(a) with a = relu(bn1(x)), and 3x3 convolutions; conv1 of " +
      "the first block of layer2, layer3 and layer4 has stride 2. There the shortcut is a 1x1 convolution of stride 2 without " +
      "batch norm; elsewhere it is a itself, not x. Convolutions have no bias, 3x3 ones padding 1, and begin uniform within " +
      "±1 / sqrt(fan-in); batch norms have eps 1e-5 and momentum 0.1 and begin as ones and zeros; linear begins uniform within " +
      "±1 / sqrt(512), bias included.",
    create: (options) => new PreActResNet({ ...options, blocks }),
  });

export const preActResNet18 = preActResNet(18, [2, 2, 2, 2]);
export const preActResNet34 = preActResNet(34, [3, 4, 6, 3]);
