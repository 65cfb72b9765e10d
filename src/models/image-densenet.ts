import {
  applyInOrder,
  BatchNorm2d,
  Conv2d,
  type DenseBlock,
  type DenseTransition,
  GlobalAvgPool,
  kaimingNormalFanIn,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
} from "../nn/index.js";
import * as torch from "../torch/index.js";
import { defineModel, type ModelOptions } from "./define.js";
import { denseBlock, denseTransition } from "./dense-parts.js";
import { checkLeastSize } from "./least-size.js";

/** A convolution without bias that begins normal with variance 2 / fan-in. */
function convolution(
  from: number,
  to: number,
  window: 1 | 3 | 7,
  { stride = 1, generator }: { stride?: number; generator: torch.Generator },
): Conv2d {
  const made = new Conv2d(from, to, window, { stride, padding: (window - 1) / 2, bias: false, generator });
  kaimingNormalFanIn(made.weight, generator);
  return made;
}

export interface ImageDenseNetOptions extends ModelOptions {
  /** How many layers each of the four blocks has: 6, 12, 24, 16 make DenseNet-121. */
  layers: readonly [number, number, number, number];
  /** Channels that each layer adds. */
  growth: number;
}

/** All but the classifier. */
class Features extends Module {
  readonly conv0: Conv2d;
  readonly norm0: BatchNorm2d;
  readonly relu0 = new ReLU();
  readonly pool0 = new MaxPool2d(3, { stride: 2, padding: 1 });
  readonly denseblock1: DenseBlock;
  readonly transition1: DenseTransition;
  readonly denseblock2: DenseBlock;
  readonly transition2: DenseTransition;
  readonly denseblock3: DenseBlock;
  readonly transition3: DenseTransition;
  readonly denseblock4: DenseBlock;
  readonly norm5: BatchNorm2d;
  readonly relu = new ReLU();
  readonly pool = new GlobalAvgPool();
  /** How many channels come out. */
  readonly width: number;

  constructor({ layers, growth, channels, generator }: ImageDenseNetOptions) {
    super();
    let width = 2 * growth;
    const block = (count: number) => {
      const made = denseBlock(count, { from: width, growth, convolution, generator });
      width += count * growth;
      return made;
    };
    const transition = () => {
      const made = denseTransition({ from: width, convolution, generator });
      width = Math.floor(width / 2);
      return made;
    };
    this.conv0 = convolution(channels, width, 7, { stride: 2, generator });
    this.norm0 = new BatchNorm2d(width);
    this.denseblock1 = block(layers[0]);
    this.transition1 = transition();
    this.denseblock2 = block(layers[1]);
    this.transition2 = transition();
    this.denseblock3 = block(layers[2]);
    this.transition3 = transition();
    this.denseblock4 = block(layers[3]);
    this.norm5 = new BatchNorm2d(width);
    this.width = width;
  }

  override batchNormPairs() {
    return [["conv0", "norm0"]] as const;
  }

  /** @returns [N, width], the means over all pixels */
  override forward(x: torch.Tensor): torch.Tensor {
    const { conv0, norm0, relu0, pool0, norm5, relu, pool } = this;
    const { denseblock1, transition1, denseblock2, transition2, denseblock3, transition3, denseblock4 } =
      this;
    const blocks = [
      denseblock1,
      transition1,
      denseblock2,
      transition2,
      denseblock3,
      transition3,
      denseblock4,
    ];
    return applyInOrder([conv0, norm0, relu0, pool0, ...blocks, norm5, relu, pool], x);
  }
}

/**
 * DenseNet-BC for large images: Huang, Liu, van der Maaten, Weinberger, "Densely Connected Convolutional Networks" (2017),
 * table 1. Weights carry torchvision's names: its files fit.
 */
export class ImageDenseNet extends Module {
  readonly features: Features;
  readonly classifier: Linear;

  constructor(options: ImageDenseNetOptions) {
    super();
    const { classes, generator } = options;
    this.features = new Features(options);
    this.classifier = new Linear(this.features.width, classes, { generator });
    torch.noGrad(() => this.classifier.bias?.zero_());
  }

  /**
   * @param x [N, channels, H, W] of 29 x 29 pixels or more, channels-last for speed
   * @returns logits [N, classes]
   * @throws RangeError when the images are smaller
   */
  override forward(x: torch.Tensor): torch.Tensor {
    checkLeastSize("a DenseNet for large images", x, 29);
    return this.classifier.forward(this.features.forward(x));
  }
}

export const denseNet121 = defineModel({
  name: "densenet121",
  summary: "DenseNet-121 for large images (Huang et al. 2017, table 1).",
  construction:
    "features: conv0 7x7 to 64 channels of stride 2 and padding 3, norm0, ReLU, pool0 (maximum of 3x3, stride 2, padding 1); " +
    "denseblock1, transition1, denseblock2, transition2, denseblock3, transition3, denseblock4, of 6, 12, 24 and 16 layers; " +
    "norm5, ReLU, the mean over all pixels; then classifier: torchvision's densenet121. A layer is cat(x, " +
    "conv2(relu(norm2(conv1(relu(norm1(x))))))) along the channels, new ones last, with conv1 1x1 to 128 channels and conv2 " +
    "3x3 to 32. A transition is avgpool2x2(conv(relu(norm(x)))), with conv 1x1 to half of the channels. No dropout. " +
    "Convolutions have no bias, 3x3 ones padding 1, and begin normal with variance 2 / fan-in; batch norms have eps 1e-5 and " +
    "momentum 0.1 and begin as ones and zeros; classifier begins uniform within ±1 / sqrt(1024), its bias as zeros.",
  create: (options) => new ImageDenseNet({ ...options, layers: [6, 12, 24, 16], growth: 32 }),
});
