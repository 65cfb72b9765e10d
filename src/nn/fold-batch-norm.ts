import * as torch from "../torch/index.js";
import { BatchNorm2d } from "./batch-norm2d.js";
import { Conv2d } from "./conv2d.js";
import { FoldedConvolution } from "./folded-convolution.js";
import { Identity } from "./layers.js";
import type { Module } from "./module.js";
import { Parameter } from "./parameter.js";

/** With running statistics, batch norm is a scale and a shift of each channel: the convolution takes both over. */
function foldInto(convolution: Conv2d, norm: BatchNorm2d): void {
  const shift = torch.scope(() => {
    const scale = norm.weight.div(norm.runningVar.add(norm.eps).sqrt());
    const before = convolution.bias ? convolution.bias.sub(norm.runningMean) : norm.runningMean.neg();
    convolution.weight.mul_(scale.reshape([-1, 1, 1, 1]));
    return before.mul(scale).add(norm.bias);
  });
  convolution.bias?.dispose();
  convolution.bias = new Parameter(shift);
  norm.dispose();
}

/**
 * Folds batch norm into the convolutions before it, in place and for good: the network answers faster, can no longer
 * be trained, and its weights are no longer those of its architecture. Save them first.
 *
 * @returns the same module, in evaluation mode and frozen
 */
export function foldBatchNorm<M extends Module>(model: M): M {
  const modules = [...model.namedModules().values()];
  const shared = (part: Module) => modules.indexOf(part) !== modules.lastIndexOf(part);
  torch.noGrad(() => {
    for (const module of modules) {
      const fields = module as unknown as Record<string, Module>;
      for (const [convolutionName, normName] of module.batchNormPairs()) {
        const convolution = fields[convolutionName];
        const norm = fields[normName];
        if (!(convolution instanceof Conv2d) || !(norm instanceof BatchNorm2d)) continue;
        // What serves in two places cannot suit both.
        if (shared(convolution) || shared(norm)) continue;
        foldInto(convolution, norm);
        // In the norm's place, where it is told what comes after.
        fields[convolutionName] = new Identity();
        fields[normName] = new FoldedConvolution(convolution).eval();
      }
    }
  });
  return model.eval().requiresGrad_(false);
}
