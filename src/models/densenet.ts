import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  GlobalAvgPool,
  kaimingNormalFanOut,
  Linear,
  Module,
} from "../nn/index.js";
import * as torch from "../torch/index.js";
import type { ModelOptions } from "./cifar-resnet.js";
import { DenseBlock } from "./dense-block.js";

function convolution(from: number, to: number, window: 1 | 3, generator: torch.Generator): Conv2d {
  const made = new Conv2d(from, to, window, { padding: (window - 1) / 2, bias: false, generator });
  kaimingNormalFanOut(made.weight, generator);
  return made;
}

/** A bottleneck of 4 x growth channels, then `growth` new ones beside those that came in. */
class DenseLayer extends Module {
  readonly norm1: BatchNorm2d;
  readonly conv1: Conv2d;
  readonly norm2: BatchNorm2d;
  readonly conv2: Conv2d;

  constructor(from: number, growth: number, generator: torch.Generator) {
    super();
    this.norm1 = new BatchNorm2d(from);
    this.conv1 = convolution(from, 4 * growth, 1, generator);
    this.norm2 = new BatchNorm2d(4 * growth);
    this.conv2 = convolution(4 * growth, growth, 3, generator);
  }

  override batchNormPairs() {
    return [["conv1", "norm2"]] as const;
  }

  override forward(x: torch.Tensor): torch.Tensor {
    const squeezed = this.conv1.forward(this.norm1.forward(x, { relu: true }));
    const grown = this.conv2.forward(this.norm2.forward(squeezed, { relu: true }));
    return torch.cat([x, grown], 1);
  }
}

/** Between two blocks: half the channels, half the height and width. */
class Transition extends Module {
  /** Goes with the block before, and with the average over 2x2 pixels. */
  readonly norm: BatchNorm2d;
  readonly conv: Conv2d;

  constructor(from: number, to: number, generator: torch.Generator) {
    super();
    this.norm = new BatchNorm2d(from);
    this.conv = convolution(from, to, 1, generator);
  }

  /**
   * @param averages of what the norm made: the mean of what a 1x1 convolution makes of four pixels is what it makes of their
   * mean, for a quarter of the products
   */
  override forward(averages: torch.Tensor): torch.Tensor {
    return this.conv.forward(averages);
  }
}

/** All but the classifier. */
class Features extends Module {
  // torchvision's names, however many blocks come before the last norm.
  readonly conv0: Conv2d;
  readonly denseblock1: DenseBlock;
  readonly transition1: Transition;
  readonly denseblock2: DenseBlock;
  readonly transition2: Transition;
  readonly denseblock3: DenseBlock;
  readonly norm5: BatchNorm2d;
  /** How many channels come out. */
  readonly width: number;

  constructor(layers: number, growth: number, channels: number, generator: torch.Generator) {
    super();
    let width = 2 * growth;
    const block = () => {
      const made = Array.from(
        { length: layers },
        (_, i) => new DenseLayer(width + i * growth, growth, generator),
      );
      width += layers * growth;
      return new DenseBlock(made);
    };
    const transition = () => {
      const from = width;
      width = Math.floor(width / 2);
      return new Transition(from, width, generator);
    };
    this.conv0 = convolution(channels, width, 3, generator);
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
    // Each part in a scope of its own: what nobody needs for the gradient is free for the next part to use.
    const start = torch.scope(() => this.conv0.forward(x));
    const half = torch.scope(() => halved(this.denseblock1, this.transition1, start));
    const quarter = torch.scope(() => halved(this.denseblock2, this.transition2, half));
    const [, , height = 0, width = 0] = quarter.shape;
    const means = this.denseblock3.forwardPooled(quarter, this.norm5, new GlobalAvgPool(), [height, width]);
    return means.flatten(1);
  }
}

function halved(block: DenseBlock, transition: Transition, x: torch.Tensor): torch.Tensor {
  return transition.forward(block.forwardPooled(x, transition.norm, new AvgPool2d(2), [2, 2]));
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

  /** @param x [N, channels, H, W] of 4 pixels or more, channels-last for speed; @returns logits [N, classes] */
  override forward(x: torch.Tensor): torch.Tensor {
    return this.classifier.forward(this.features.forward(x));
  }
}
