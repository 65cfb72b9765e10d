import * as torch from "../torch/index.js";
import { uniformFanIn } from "./init.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

/**
 * x · weightᵀ + bias, for x of [..., inFeatures], as torch.nn.Linear: weights are [outFeatures, inFeatures], drawn uniformly
 * within ±1 / sqrt(inFeatures).
 *
 * It computes in the weights' dtype, also where x is coarser: these layers are cheap, and the rounding of a network's last one
 * would go into the loss.
 */
export class Linear extends Module {
  readonly weight: Parameter;
  /** Undefined for a layer without. */
  readonly bias: Parameter | undefined;

  constructor(
    inFeatures: number,
    outFeatures: number,
    { bias = true, generator }: { bias?: boolean; generator: torch.Generator },
  ) {
    super();
    this.weight = new Parameter(torch.empty([outFeatures, inFeatures]));
    uniformFanIn(this.weight, generator);
    if (bias) {
      this.bias = new Parameter(torch.empty([outFeatures]));
      uniformFanIn(this.bias, generator, inFeatures);
    }
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return torch.linear(x.to({ dtype: this.weight.dtype }), this.weight, this.bias);
  }
}
