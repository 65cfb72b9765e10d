/** Networks that want their images normalised otherwise than those at hand are. */
import { Module } from "../nn/index.js";
import * as torch from "../torch/index.js";

/** How bytes become a network's input: `(byte / 255 - mean) / std`, one number of each a channel. */
export interface Normalisation {
  mean: readonly number[];
  std: readonly number[];
}

/** Sums of bytes are exact; what is left is the rounding of a few operations on doubles. */
const ROUNDING = 1e-9;

/** Tells whether two normalisations are the same, up to rounding. */
export function isSameNormalisation(one: Normalisation, other: Normalisation): boolean {
  const alike = (a: readonly number[], b: readonly number[]) =>
    a.length === b.length && a.every((value, i) => Math.abs(value - b[i]!) <= ROUNDING);
  return alike(one.mean, other.mean) && alike(one.std, other.std);
}

/**
 * A network behind a change of its images: from the normalisation that they have to the one that it wants,
 * `x * (std / wanted.std) + (mean - wanted.mean) / wanted.std` for each channel.
 *
 * The change stands before the network rather than in its first convolution: that one pads with zeros, which stand for other
 * bytes by one normalisation than by the other. It is no part of the state, which has the network's names behind `network.`.
 */
export class Renormalised extends Module {
  readonly network: Module;
  readonly #images: Normalisation;
  readonly #wanted: Normalisation;
  /** float32 [C, 1, 1], on the network's device; not saved. */
  readonly #scale: torch.Tensor;
  /** float32 [C, 1, 1] */
  readonly #shift: torch.Tensor;

  /**
   * @param images how the images are normalised
   * @param wanted how the network wants them
   */
  constructor(network: Module, images: Normalisation, wanted: Normalisation) {
    super();
    this.network = network;
    this.#images = images;
    this.#wanted = wanted;
    const { device = "cpu", dtype = "float32" } = network.parameters()[0] ?? {};
    const perChannel = (values: number[]) =>
      torch.keep(torch.tensor(values, { dtype, device, shape: [values.length, 1, 1] }));
    this.#scale = perChannel(wanted.std.map((std, c) => images.std[c]! / std));
    this.#shift = perChannel(wanted.std.map((std, c) => (images.mean[c]! - wanted.mean[c]!) / std));
  }

  /** @param x [N, C, H, W] */
  override forward(x: torch.Tensor): torch.Tensor {
    // Activations of 16 bits stay so.
    return this.network.forward(x.mul(this.#scale).add(this.#shift).to({ dtype: x.dtype }));
  }

  /** Puts the same change before another network. */
  before(network: Module): Renormalised {
    return new Renormalised(network, this.#images, this.#wanted);
  }

  override dispose(): void {
    super.dispose();
    this.#scale.dispose();
    this.#shift.dispose();
  }
}

/**
 * Lets a network see images by its own normalisation.
 *
 * @param wanted how it wants them; undefined means as they are
 * @returns the network itself where nothing is to be changed
 */
export function seeing(model: Module, images: Normalisation, wanted: Normalisation | undefined): Module {
  return wanted === undefined || isSameNormalisation(images, wanted)
    ? model
    : new Renormalised(model, images, wanted);
}
