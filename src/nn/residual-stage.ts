import { scope, type Tensor } from "../torch/index.js";
import type { BatchNorm2d } from "./batch-norm2d.js";
import { blocked } from "./blocked.js";
import type { Module } from "./module.js";
import { frozenBlocks, frozenStage, type ResidualBlock, trainedBlocks } from "./residual-block.js";
import { Sequential } from "./sequential.js";

/** Nothing where the operator knows by itself. */
function shortcutOf(block: ResidualBlock, x: Tensor): (() => Tensor) | undefined {
  return block.dropsPixels ? undefined : () => block.shortcut(x);
}

/**
 * Residual blocks one after another, named "0", "1", …; those that one operator takes together go together.
 *
 * A block with 3x3 convolutions of stride 1 and as many channels out as in is taken to add its input as it is.
 */
export class ResidualStage extends Sequential {
  constructor(...blocks: (Module & ResidualBlock)[]) {
    super(...blocks);
  }

  /** @param x overwritten where the blocks are frozen */
  override forward(x: Tensor): Tensor {
    return this.forwardFrom(x, 0);
  }

  /**
   * The blocks after a network's first layer, relu(norm(conv(images))), which a frozen stage takes with it.
   *
   * @param images [N, C, H, W], channels-last for speed
   */
  forwardImages(images: Tensor, conv: Module, norm: Module & { forward: BatchNorm2d["forward"] }): Tensor {
    const { y, taken } = frozenStage({ conv, norm }, this.blocks(), images);
    if (taken > 0) return this.forwardFrom(y, taken);
    return this.forwardFrom(blocked(norm.forward(conv.forward(images), { relu: true })), 0);
  }

  private blocks(): (Module & ResidualBlock)[] {
    return Array.from({ length: this.count }, (_, i) => this[i] as Module & ResidualBlock);
  }

  private forwardFrom(x: Tensor, first: number): Tensor {
    const blocks = this.blocks();
    let y = x;
    for (let i = first; i < blocks.length; ) {
      const [block, input] = [blocks[i]!, y];
      const left = blocks.slice(i);
      const frozen = frozenBlocks(left, input);
      const found =
        frozen.taken > 0 ? frozen : scope(() => trainedBlocks(left, input, shortcutOf(block, input)));
      y = found.taken > 0 ? found.y : scope(() => block.forward(input));
      i += Math.max(1, found.taken);
    }
    return y;
  }
}
