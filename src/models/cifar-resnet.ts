import {
  BatchNorm2d,
  Conv2d,
  GlobalAvgPool,
  kaimingNormalFanOut,
  Linear,
  Module,
  ResidualStage,
  residualBlock,
} from "../nn/index.js";
import type * as torch from "../torch/index.js";
import { optionAShortcut } from "./option-a-shortcut.js";

/** What decides the shape of a network, beside its architecture. */
export interface ModelOptions {
  classes: number;
  /** Of the images. */
  channels: number;
  /** Draws the first weights. */
  generator: torch.Generator;
}

function conv3x3(from: number, to: number, stride: number, generator: torch.Generator): Conv2d {
  const convolution = new Conv2d(from, to, 3, { stride, padding: 1, bias: false, generator });
  kaimingNormalFanOut(convolution.weight, generator);
  return convolution;
}

/** Two 3x3 convolutions and a shortcut (He et al. 2016). */
class BasicBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly dropsPixels = true;
  private readonly width: number;
  private readonly stride: number;

  constructor(from: number, to: number, stride: number, generator: torch.Generator) {
    super();
    this.conv1 = conv3x3(from, to, stride, generator);
    this.bn1 = new BatchNorm2d(to);
    this.conv2 = conv3x3(to, to, 1, generator);
    this.bn2 = new BatchNorm2d(to);
    this.width = to;
    this.stride = stride;
  }

  override batchNormPairs() {
    return [
      ["conv1", "bn1"],
      ["conv2", "bn2"],
    ] as const;
  }

  shortcut(x: torch.Tensor): torch.Tensor {
    return optionAShortcut(x, this.width, this.stride);
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return residualBlock(this, x, this.shortcut(x));
  }
}

/**
 * The residual networks for small images of He et al., "Deep Residual Learning for Image Recognition" (2016), section
 * 4.2: three stages of 16, 32 and 64 channels, 6n + 2 layers, option A shortcuts. Weights carry torchvision's names.
 */
export class CifarResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
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
          i === 0 ? new BasicBlock(from, to, stride, generator) : new BasicBlock(to, to, 1, generator),
        ),
      );
    this.conv1 = conv3x3(channels, 16, 1, generator);
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
    const first = this.layer1.forwardImages(x, this.conv1, this.bn1);
    const features = this.layer3.forward(this.layer2.forward(first));
    return this.fc.forward(this.pool.forward(features));
  }
}
