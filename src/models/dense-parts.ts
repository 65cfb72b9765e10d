/** What DenseNets for small and for large images are both made of. */
import { BatchNorm2d, type Conv2d, DenseBlock, DenseLayer, DenseTransition } from "../nn/index.js";
import type { Generator } from "../torch/index.js";

/** Makes the convolutions of a network, without bias. They differ in what their weights begin with. */
export type MakeConvolution = (
  from: number,
  to: number,
  window: 1 | 3,
  options: { generator: Generator },
) => Conv2d;

interface DensePartOptions {
  /** How many channels come in. */
  from: number;
  convolution: MakeConvolution;
  generator: Generator;
}

/** A block whose layers each have a bottleneck of 4 x growth channels, then `growth` new ones beside those that came in. */
export function denseBlock(
  layers: number,
  { from, growth, convolution, generator }: DensePartOptions & { growth: number },
): DenseBlock {
  const layer = (_: unknown, i: number) =>
    new DenseLayer({
      norm1: new BatchNorm2d(from + i * growth),
      conv1: convolution(from + i * growth, 4 * growth, 1, { generator }),
      norm2: new BatchNorm2d(4 * growth),
      conv2: convolution(4 * growth, growth, 3, { generator }),
    });
  return new DenseBlock(Array.from({ length: layers }, layer));
}

/** A transition to half as many channels, rounded down. */
export function denseTransition({ from, convolution, generator }: DensePartOptions): DenseTransition {
  return new DenseTransition({
    norm: new BatchNorm2d(from),
    conv: convolution(from, Math.floor(from / 2), 1, { generator }),
  });
}
