import type { ProcessGroup } from "../distributed/index.js";
import * as torch from "../torch/index.js";
import { applyEpilogue, BatchNorm2d, type Epilogue } from "./batch-norm2d.js";
import type { Module } from "./module.js";

/**
 * Lets the batch norms of a network normalise by the statistics of the images of all processes, as
 * torch.nn.SyncBatchNorm does, until the returned value is disposed of. In evaluation they compute as ever.
 *
 * Meanwhile each is computed by itself, by ATen's operators, and waits twice for the other processes in a forward pass and
 * twice in a backward pass. All processes must run the same network.
 */
export function synchroniseBatchNorm(model: Module, group: ProcessGroup): Disposable {
  const norms = [...new Set(model.namedModules().values())].filter((module) => module instanceof BatchNorm2d);
  const replaced = norms.map((norm) => replaceForward(norm, group));
  return {
    [Symbol.dispose]: () => {
      for (const each of replaced) each[Symbol.dispose]();
    },
  };
}

function replaceForward(norm: BatchNorm2d, group: ProcessGroup): Disposable {
  const before = Object.getOwnPropertyDescriptor(norm, "forward");
  const forward = norm.forward;
  const synchronised = (x: torch.Tensor, epilogue: Epilogue = {}) =>
    norm.training
      ? applyEpilogue(normaliseTogether(norm, x, group), epilogue)
      : forward.call(norm, x, epilogue);
  // Not enumerable, since a module's fields are its content.
  Object.defineProperty(norm, "forward", { value: synchronised, configurable: true, writable: true });
  return {
    [Symbol.dispose]: () => {
      if (before) Object.defineProperty(norm, "forward", before);
      else Reflect.deleteProperty(norm, "forward");
    },
  };
}

/**
 * Normalises each channel of [N, C, H, W] by the mean and the variance over the images of all processes, and moves the running
 * statistics by them.
 *
 * The variance is the mean of squared distances from the common mean: that of squares less the square of the mean would
 * lose digits.
 */
function normaliseTogether(norm: BatchNorm2d, x: torch.Tensor, group: ProcessGroup): torch.Tensor {
  const { weight, bias, runningMean, runningVar, eps, momentum } = norm;
  const channels = weight.numel;
  const values = x.dtype === weight.dtype ? x : x.to({ dtype: weight.dtype });
  const own = torch.tensor([x.numel / channels], { dtype: weight.dtype, device: x.device });
  const totals = group.sum(torch.cat([values.sum([0, 2, 3]), own]));
  const count = Number(totals.narrow(0, channels, 1).item());
  norm.track(count, x.shape);
  const mean = totals.narrow(0, 0, channels).div(count);
  const centred = values.sub(mean.view([1, channels, 1, 1]));
  const variance = group.sum(centred.square().sum([0, 2, 3])).div(count);
  torch.noGrad(() => {
    runningMean.mul_(1 - momentum).add_(mean, { alpha: momentum });
    runningVar.mul_(1 - momentum).add_(variance, { alpha: (momentum * count) / (count - 1) });
  });
  const scale = variance.add(eps).rsqrt().mul(weight);
  const y = centred.mul(scale.view([1, channels, 1, 1])).add(bias.view([1, channels, 1, 1]));
  return x.dtype === y.dtype ? y : y.to({ dtype: x.dtype });
}
