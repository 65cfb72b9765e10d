import * as torch from "../torch/index.js";
import { isOrdered } from "./blocked.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

/** What follows a normalisation and is done in the same pass over memory. */
export interface AfterNorm {
  /** Added to the result, of its shape: the shortcut of a residual block. */
  residual?: torch.Tensor;
  /** Nobody needs the residual afterwards: a frozen network may overwrite it. Default: no. */
  lastUse?: boolean;
  /** Whether ReLU comes last. Default: no. */
  relu?: boolean;
}

function isFused(x: torch.Tensor, weight: torch.Tensor): boolean {
  return weight.dtype === "float32" && (x.dtype === "float32" || x.dtype === "bfloat16") && isOrdered(x);
}

/** In place: for a result that nobody else holds. */
export function finish(y: torch.Tensor, { residual, relu = false }: AfterNorm): torch.Tensor {
  const sum = residual ? y.add_(residual) : y;
  return relu ? sum.relu_() : sum;
}

/**
 * Normalises each channel of [N, C, H, W]: in training by the batch, whose statistics it also averages; in evaluation
 * by those averages (Ioffe and Szegedy 2015).
 */
export class BatchNorm2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly runningMean: torch.Tensor;
  /** Unbiased. */
  readonly runningVar: torch.Tensor;
  /** Unused here; kept because PyTorch's files hold it. */
  readonly numBatchesTracked: torch.Tensor;
  readonly eps: number;
  /** Share of each new batch in the averages. */
  readonly momentum: number;

  constructor(channels: number, { eps = 1e-5, momentum = 0.1 }: { eps?: number; momentum?: number } = {}) {
    super();
    this.weight = new Parameter(torch.ones([channels]));
    this.bias = new Parameter(torch.zeros([channels]));
    this.runningMean = torch.keep(torch.zeros([channels]));
    this.runningVar = torch.keep(torch.ones([channels]));
    this.numBatchesTracked = torch.keep(torch.zeros([], { dtype: "int64" }));
    this.eps = eps;
    this.momentum = momentum;
  }

  /**
   * Statistics are float32 where activations are bfloat16. On the CPU, both in channels-last or blocked memory take
   * Lyceum's fused operator, which is differentiable once; all else takes ATen's operators.
   *
   * @throws RangeError in training when a channel has one value: the averages would be NaN from then on
   */
  override forward(x: torch.Tensor, after: AfterNorm = {}): torch.Tensor {
    if (this.training) this.track(x.numel / this.weight.numel, x.shape);
    const { weight, bias, runningMean, runningVar, training, momentum, eps } = this;
    if (isFused(x, weight)) {
      const { residual, relu = false } = after;
      return torch.op(
        "lyceum::batch_norm",
        x,
        weight,
        bias,
        runningMean,
        runningVar,
        residual,
        relu,
        training,
        momentum,
        eps,
      );
    }
    // cuDNN's on a card, where it serves the shape and the order of memory.
    const cudnn = true;
    const y = torch.batchNorm(x, weight, bias, runningMean, runningVar, training, momentum, eps, cudnn);
    return finish(y, after);
  }

  /** @internal Of a batch that is trained on, with so many values a channel. */
  track(values: number, shape: readonly number[]): void {
    if (values === 1) {
      throw new RangeError(`batch norm cannot train on one value a channel, got [${shape.join(", ")}]`);
    }
    this.numBatchesTracked.add_(1);
  }
}
