import {
  BatchNorm2d,
  blocked,
  Conv2d,
  GlobalAvgPool,
  kaimingNormalFanOut,
  Linear,
  MaxPool2d,
  Module,
  ResidualStage,
  residualBlock,
  Sequential,
} from "../nn/index.js";
import type * as torch from "../torch/index.js";
import type { ModelOptions } from "./cifar-resnet.js";

interface ConvolutionShape {
  window: 1 | 3 | 7;
  stride: number;
}

function convolution(
  from: number,
  to: number,
  { window, stride }: ConvolutionShape,
  generator: torch.Generator,
): Conv2d {
  const made = new Conv2d(from, to, window, { stride, padding: (window - 1) / 2, bias: false, generator });
  kaimingNormalFanOut(made.weight, generator);
  return made;
}

/** Two 3x3 convolutions and a shortcut, which a 1x1 convolution fits where the shape changes ("option B"). */
class BasicBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Sequential | undefined;

  constructor(from: number, to: number, stride: number, generator: torch.Generator) {
    super();
    this.conv1 = convolution(from, to, { window: 3, stride }, generator);
    this.bn1 = new BatchNorm2d(to);
    this.conv2 = convolution(to, to, { window: 3, stride: 1 }, generator);
    this.bn2 = new BatchNorm2d(to);
    if (stride !== 1 || from !== to) {
      const fit = convolution(from, to, { window: 1, stride }, generator);
      this.downsample = new Sequential(fit, new BatchNorm2d(to));
    }
  }

  override batchNormPairs() {
    return [
      ["conv1", "bn1"],
      ["conv2", "bn2"],
    ] as const;
  }

  shortcut(x: torch.Tensor): torch.Tensor {
    return this.downsample ? this.downsample.forward(x) : x;
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return residualBlock(this, x, this.shortcut(x));
  }
}

export interface ResNetOptions extends ModelOptions {
  /** Of each of the four stages: 2, 2, 2, 2 make ResNet-18, and 3, 4, 6, 3 ResNet-34. */
  blocks: readonly [number, number, number, number];
}

/**
 * The residual networks for large images of He et al., "Deep Residual Learning for Image Recognition" (2016), table 1,
 * those of basic blocks. Weights carry torchvision's names: its files fit.
 */
export class ResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
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
          i === 0 ? new BasicBlock(from, to, stride, generator) : new BasicBlock(to, to, 1, generator),
        ),
      );
    this.conv1 = convolution(channels, 64, { window: 7, stride: 2 }, generator);
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
    const stem = this.bn1.forward(this.conv1.forward(x), { relu: true });
    // A quarter of the pixels is left to be put into blocks.
    const pooled = blocked(this.maxpool.forward(stem));
    const near = this.layer2.forward(this.layer1.forward(pooled));
    return this.fc.forward(this.avgpool.forward(this.layer4.forward(this.layer3.forward(near))));
  }
}
