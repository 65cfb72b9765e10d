import {
  AdaptiveAvgPool2d,
  Conv2d,
  Dropout,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from "../nn/index.js";
import type * as torch from "../torch/index.js";
import { defineModel, type ModelOptions } from "./define.js";
import { checkLeastSize } from "./least-size.js";

export interface AlexNetOptions extends ModelOptions {
  /** The probability with which dropout makes an element zero, from 0 to below 1. Default: 0.5. */
  dropoutRate?: number;
}

/**
 * AlexNet with one column: Krizhevsky, "One weird trick for parallelizing convolutional neural networks" (2014), as torchvision
 * has it, without local response normalisation. Weights carry torchvision's names: its files fit.
 */
export class AlexNet extends Module {
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d(6);
  readonly classifier: Sequential;

  /** @throws RangeError when `dropoutRate` is out of range */
  constructor({ dropoutRate = 0.5, classes, channels, generator }: AlexNetOptions) {
    super();
    const convolution = (from: number, to: number, window: number, padding: number, stride = 1) =>
      new Conv2d(from, to, window, { stride, padding, generator });
    const pooling = () => new MaxPool2d(3, { stride: 2 });
    const dropout = () => new Dropout(dropoutRate, { generator });
    this.features = new Sequential(
      ...[convolution(channels, 64, 11, 2, 4), new ReLU(), pooling()],
      ...[convolution(64, 192, 5, 2), new ReLU(), pooling()],
      ...[convolution(192, 384, 3, 1), new ReLU()],
      ...[convolution(384, 256, 3, 1), new ReLU()],
      ...[convolution(256, 256, 3, 1), new ReLU(), pooling()],
    );
    this.classifier = new Sequential(
      ...[dropout(), new Linear(256 * 6 * 6, 4096, { generator }), new ReLU()],
      ...[dropout(), new Linear(4096, 4096, { generator }), new ReLU()],
      new Linear(4096, classes, { generator }),
    );
  }

  /**
   * @param x [N, channels, H, W] of 63 x 63 pixels or more, channels-last for speed
   * @returns logits [N, classes]
   * @throws RangeError when the images are smaller
   */
  override forward(x: torch.Tensor): torch.Tensor {
    checkLeastSize("AlexNet", x, 63);
    const pooled = this.avgpool.forward(this.features.forward(x));
    return this.classifier.forward(pooled.flatten(1));
  }
}

export const alexNet = defineModel({
  name: "alexnet",
  summary: "AlexNet for large images (Krizhevsky 2014), as torchvision has it.",
  construction:
    "features: a Sequential of convolutions, each with ReLU after it, 11x11 of stride 4 and padding 2 to 64 channels, 5x5 of " +
    "padding 2 to 192, and 3x3 of padding 1 to 384, 256 and 256, with the maximum of 3x3 pixels of stride 2 after the first, " +
    "second and fifth; means over 6x6 windows that fill the image (adaptive pooling), flattened; classifier: a Sequential of " +
    "dropout of 0.5, linear to 4096, ReLU, dropout of 0.5, linear to 4096, ReLU, linear: torchvision's alexnet. No batch norm. " +
    "All weights and biases begin uniform within ±1 / sqrt(fan-in).",
  create: (options) => new AlexNet(options),
});
