import * as torch from "../torch/index.js";
import { type AfterNorm, finish } from "./batch-norm2d.js";
import { isOrdered } from "./blocked.js";
import type { Conv2d } from "./conv2d.js";
import { Module } from "./module.js";

/**
 * What a convolution and its batch norm become when a network is frozen: one convolution, which stands in the batch
 * norm's place and takes over what comes after it too.
 */
export class FoldedConvolution extends Module {
  readonly convolution: Conv2d;

  constructor(convolution: Conv2d) {
    super();
    this.convolution = convolution;
  }

  override forward(x: torch.Tensor, after: AfterNorm = {}): torch.Tensor {
    const { residual, lastUse = false, relu = false } = after;
    const given = x.requiresGrad ? undefined : this.convolution.prepared(x);
    if (given && residual && isOrdered(residual)) {
      const sum = lastUse ? residual : residual.clone();
      return torch.op("lyceum::add_conv2d_", sum, ...given, relu);
    }
    if (given && relu && !residual) return torch.op("lyceum::conv2d_relu", ...given);
    return finish(this.convolution.forward(x), after);
  }
}
