import {
  applyInOrder,
  BatchNorm2d,
  type Conv2d,
  type DenseBlock,
  type DenseTransition,
  GlobalAvgPool,
  Linear,
  Module,
  ReLU,
} from "../nn/index.js";
import type * as torch from "../torch/index.js";
import { convolution } from "./convolution.js";
import { defineModel, type ModelOptions } from "./define.js";
import { denseBlock, denseTransition } from "./dense-parts.js";

/** All but the classifier. */
class Features extends Module {
  // torchvision's names, however many blocks come before the last norm.
  readonly conv0: Conv2d;
  readonly denseblock1: DenseBlock;
  readonly transition1: DenseTransition;
  readonly denseblock2: DenseBlock;
  readonly transition2: DenseTransition;
  readonly denseblock3: DenseBlock;
  readonly norm5: BatchNorm2d;
  readonly relu = new ReLU();
  readonly pool = new GlobalAvgPool();
  /** How many channels come out. */
  readonly width: number;

  constructor(layers: number, growth: number, channels: number, generator: torch.Generator) {
    super();
    let width = 2 * growth;
    const block = () => {
      const made = denseBlock(layers, { from: width, growth, convolution, generator });
      width += layers * growth;
      return made;
    };
    const transition = () => {
      const made = denseTransition({ from: width, convolution, generator });
      width = Math.floor(width / 2);
      return made;
    };
    this.conv0 = convolution(channels, width, 3, { generator });
    this.denseblock1 = block();
    this.transition1 = transition();
    this.denseblock2 = block();
    this.transition2 = transition();
    this.denseblock3 = block();
    this.norm5 = new BatchNorm2d(width);
    this.width = width;
  }

  /** @returns [N, width], the means over all pixels */
  override forward(x: torch.Tensor): torch.Tensor {
    const { conv0, denseblock1, transition1, denseblock2, transition2, denseblock3, norm5, relu, pool } =
      this;
    const blocks = [denseblock1, transition1, denseblock2, transition2, denseblock3];
    return applyInOrder([conv0, ...blocks, norm5, relu, pool], x);
  }
}

export interface DenseNetOptions extends ModelOptions {
  /** Convolutions and the classifier: 6n + 4, of which each of the three blocks has 2n. */
  depth: number;
  /** Channels that each layer adds. */
  growth: number;
}

/**
 * DenseNet-BC for small images: Huang, Liu, van der Maaten, Weinberger, "Densely Connected Convolutional Networks"
 * (2017), section 4: three blocks, bottlenecks, transitions that halve the channels. Weights carry torchvision's names.
 *
 * A layer that `c` channels go into has `2 (c + 4 g) + 4 g c + 36 g^2` parameters, where g is the growth; a transition
 * `2 c + c floor(c / 2)`.
 */
export class DenseNet extends Module {
  readonly features: Features;
  readonly classifier: Linear;

  /** @throws RangeError when `depth` is not 6n + 4, or `growth` no positive integer */
  constructor({ depth, growth, classes, channels, generator }: DenseNetOptions) {
    super();
    const layers = (depth - 4) / 6;
    if (!(Number.isInteger(layers) && layers >= 1))
      throw new RangeError(`depth must be 6n + 4, got ${depth}`);
    if (!(Number.isInteger(growth) && growth >= 1))
      throw new RangeError(`growth must be 1 or more, got ${growth}`);

    this.features = new Features(layers, growth, channels, generator);
    this.classifier = new Linear(this.features.width, classes, { generator });
  }

  /** @param x [N, channels, H, W] of 4 x 4 pixels or more, channels-last for speed; @returns logits [N, classes] */
  override forward(x: torch.Tensor): torch.Tensor {
    return this.classifier.forward(this.features.forward(x));
  }
}

const denseNetBc = (depth: number, growth: number) => {
  const layers = (depth - 4) / 6;
  return defineModel({
    name: `densenet-bc-${depth}-${growth}`,
    summary: `DenseNet-BC of ${depth} layers and growth ${growth} for small images (Huang et al. 2017, section 4).`,
    construction:
      `features: conv0 3x3 to ${2 * growth} channels, without norm or ReLU; denseblock1, transition1, denseblock2, transition2, ` +
      `denseblock3, each block of ${layers} layers; norm5, ReLU, the mean over all pixels; then classifier. A layer is cat(x, ` +
      `conv2(relu(norm2(conv1(relu(norm1(x))))))) along the channels, new ones last, with conv1 1x1 to ${4 * growth} channels ` +
      `and conv2 3x3 to ${growth}. A transition is avgpool2x2(conv(relu(norm(x)))), with conv 1x1 to half of the channels, ` +
      "rounded down. No dropout. Convolutions have no bias, 3x3 ones padding 1, and begin normal with variance 2 / fan-out; " +
      "batch norms have eps 1e-5 and momentum 0.1 and begin as ones and zeros; classifier begins uniform within " +
      `±1 / sqrt(${widthAfter(layers, growth)}), bias included.`,
    create: (options) => new DenseNet({ ...options, depth, growth }),
  });
};

/** How many channels the classifier gets of three blocks of so many layers each. */
function widthAfter(layers: number, growth: number): number {
  const added = layers * growth;
  const first = Math.floor((2 * growth + added) / 2);
  return Math.floor((first + added) / 2) + added;
}

export const denseNetBc40x12 = denseNetBc(40, 12);
export const denseNetBc100x12 = denseNetBc(100, 12);
export const denseNetBc190x40 = denseNetBc(190, 40);
