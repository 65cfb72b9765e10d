import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  kaimingNormalFanOut,
  Linear,
  MaxPool2d,
  Module,
  normal,
  ReLU,
  Sequential,
} from "../nn/index.js";
import * as torch from "../torch/index.js";
import { defineModel, type ModelOptions } from "./define.js";
import { checkLeastSize } from "./least-size.js";

/** The output channels of each stage's convolutions; a pooling follows each stage. */
const stages = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
] as const;

function convolution(from: number, to: number, generator: torch.Generator): Conv2d {
  const made = new Conv2d(from, to, 3, { padding: 1, generator });
  kaimingNormalFanOut(made.weight, generator);
  torch.noGrad(() => made.bias?.zero_());
  return made;
}

function linear(from: number, to: number, generator: torch.Generator): Linear {
  const made = new Linear(from, to, { generator });
  normal(made.weight, 0.01, generator);
  torch.noGrad(() => made.bias?.zero_());
  return made;
}

export interface VggOptions extends ModelOptions {
  /** The probability with which dropout makes an element zero, from 0 to below 1. Default: 0.5. */
  dropoutRate?: number;
}

/**
 * VGG-16 with batch norm: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition" (2015),
 * table 1, column D, with batch norm after each convolution, as torchvision has it. Weights carry torchvision's names: its
 * files fit.
 */
export class Vgg extends Module {
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d(7);
  readonly classifier: Sequential;

  /** @throws RangeError when `dropoutRate` is out of range */
  constructor({ dropoutRate = 0.5, classes, channels, generator }: VggOptions) {
    super();
    let from = channels;
    const layers = (to: number) => {
      const made = [convolution(from, to, generator), new BatchNorm2d(to), new ReLU()];
      from = to;
      return made;
    };
    const dropout = () => new Dropout(dropoutRate, { generator });
    this.features = new Sequential(
      ...stages.flatMap((stage) => [...stage.flatMap(layers), new MaxPool2d(2)]),
    );
    this.classifier = new Sequential(
      ...[linear(512 * 7 * 7, 4096, generator), new ReLU(), dropout()],
      ...[linear(4096, 4096, generator), new ReLU(), dropout()],
      linear(4096, classes, generator),
    );
  }

  /**
   * @param x [N, channels, H, W] of 32 x 32 pixels or more, channels-last for speed
   * @returns logits [N, classes]
   * @throws RangeError when the images are smaller
   */
  override forward(x: torch.Tensor): torch.Tensor {
    checkLeastSize("VGG", x, 32);
    const pooled = this.avgpool.forward(this.features.forward(x));
    return this.classifier.forward(pooled.flatten(1));
  }
}

export const vgg16Bn = defineModel({
  name: "vgg16-bn",
  summary: "VGG-16 with batch norm for large images (Simonyan and Zisserman 2015, table 1, column D).",
  construction:
    "features: a Sequential of 3x3 convolutions of padding 1 with bias, each with batch norm and ReLU after it, of 64, 64; 128, " +
    "128; 256, 256, 256; 512, 512, 512; 512, 512, 512 channels, with the maximum of 2x2 pixels at each semicolon and at the " +
    "end; means over 7x7 windows that fill the image (adaptive pooling), flattened; classifier: a Sequential of linear to " +
    "4096, ReLU, dropout of 0.5, linear to 4096, ReLU, dropout of 0.5, linear: torchvision's vgg16_bn. Convolutions begin " +
    "normal with variance 2 / fan-out, linear layers normal with deviation 0.01, all biases as zeros; batch norms have eps 1e-5 " +
    "and momentum 0.1 and begin as ones and zeros.",
  create: (options) => new Vgg(options),
});
