import { scope, type Tensor } from "../torch/index.js";
import { remember } from "./by-class.js";
import { denseBlock } from "./cpu/dense-block.js";
import { Module } from "./module.js";

/**
 * Layers one after another, named "denselayer1", "denselayer2", … (torchvision's names), each of which adds its channels to
 * those that came in (Huang et al. 2017). A block of {@link DenseLayer}s is computed by one operator where that serves.
 */
export class DenseBlock extends Module {
  readonly #names: readonly string[];
  [name: string]: unknown;

  static {
    remember(DenseBlock);
  }

  constructor(layers: readonly Module[]) {
    super();
    this.#names = layers.map((_, i) => `denselayer${i + 1}`);
    for (const [i, name] of this.#names.entries()) this[name] = layers[i];
  }

  /** The layers, first to last. */
  layers(): Module[] {
    return this.#names.map((name) => this[name] as Module);
  }

  /** @param x [N, C, H, W]; @returns [N, C + what the layers add, H, W] */
  override forward(x: Tensor): Tensor {
    const layers = this.layers();
    const fused = denseBlock(layers, x);
    if (fused) return fused;
    // Each layer in a scope of its own: what nobody needs for the gradient is free for the next one to use.
    return layers.reduce((y, layer) => scope(() => layer.forward(y)), x);
  }
}
