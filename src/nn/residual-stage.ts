import { scope, type Tensor } from "../torch/index.js";
import type { Module } from "./module.js";
import { frozenBlocks, type ResidualLayers } from "./residual-block.js";
import { Sequential } from "./sequential.js";

/**
 * Residual blocks one after another, named "0", "1", …; frozen ones that follow each other are taken in one go.
 *
 * A block with 3x3 convolutions of stride 1 and as many channels out as in is taken to add its input as it is.
 */
export class ResidualStage extends Sequential {
  constructor(...blocks: (Module & ResidualLayers)[]) {
    super(...blocks);
  }

  /** @param x overwritten where the blocks are frozen */
  override forward(x: Tensor): Tensor {
    const blocks = Array.from({ length: this.count }, (_, i) => this[i] as Module & ResidualLayers);
    let y = x;
    for (let i = 0; i < blocks.length; ) {
      const [block, input] = [blocks[i]!, y];
      const found = frozenBlocks(blocks.slice(i), input);
      y = found.taken > 0 ? found.y : scope(() => block.forward(input));
      i += Math.max(1, found.taken);
    }
    return y;
  }
}
