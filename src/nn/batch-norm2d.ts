import * as torch from "../torch/index.js";
import { remember } from "./by-class.js";
import { normalise } from "./cpu/batch-norm.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

/** What a layer does to its result in the same pass over memory: first the sum, then ReLU. */
export interface Epilogue {
  /** Added to the result, of its shape: the shortcut of a residual block. */
  residual?: torch.Tensor;
  /**
   * Whether the caller gives the residual up, so that a frozen network may write its result over it. Only who made the
   * residual, and let nobody else have it, may say so. Default: no.
   */
  overwriteResidual?: boolean;
  /** Whether negative values become zero at the end. Default: no. */
  relu?: boolean;
}

/** Does what an epilogue says by ATen's operators. @param y a result that nobody else holds: it is written over */
export function applyEpilogue(y: torch.Tensor, { residual, relu = false }: Epilogue): torch.Tensor {
  // In place only where the sum has y's own shape and dtype.
  const inPlace = residual && residual.dtype === y.dtype && `${residual.shape}` === `${y.shape}`;
  const sum = residual ? (inPlace ? y.add_(residual) : y.add(residual)) : y;
  return relu ? sum.relu_() : sum;
}

/**
 * Normalises each channel of [N, C, H, W]: in training by the batch, whose statistics it also averages; in evaluation
 * by those averages (Ioffe and Szegedy 2015). As torch.nn.BatchNorm2d.
 */
export class BatchNorm2d extends Module {
  /** [C], begins as ones. */
  readonly weight: Parameter;
  /** [C], begins as zeros. */
  readonly bias: Parameter;
  /** [C], begins as zeros. */
  readonly runningMean: torch.Tensor;
  /** [C], begins as ones; averages unbiased variances. */
  readonly runningVar: torch.Tensor;
  /** How many batches were trained on. Lyceum does not use it; PyTorch's files hold it. */
  readonly numBatchesTracked: torch.Tensor;
  /** Added to the variance, so that a constant channel can be divided by its root. */
  readonly eps: number;
  /** Share of each new batch in the averages. */
  momentum: number;

  static {
    remember(BatchNorm2d);
  }

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
   * Statistics are float32 where activations are bfloat16. On the CPU, both in channels-last memory take Lyceum's fused
   * operator, which is differentiable once; all else takes ATen's operators.
   *
   * @param epilogue what follows, done in the same pass over memory
   * @throws RangeError in training when a channel has one value: the averages would be NaN from then on
   */
  override forward(x: torch.Tensor, epilogue: Epilogue = {}): torch.Tensor {
    if (this.training) this.track(x.numel / this.weight.numel, x.shape);
    const fused = normalise(this, x, epilogue);
    if (fused) return fused;
    const { weight, bias, runningMean, runningVar, training, momentum, eps } = this;
    // cuDNN's on a card, where it serves the shape and the order of memory.
    const cudnn = true;
    const y = torch.batchNorm(x, weight, bias, runningMean, runningVar, training, momentum, eps, cudnn);
    return applyEpilogue(y, epilogue);
  }

  /**
   * @internal Counts a batch that is trained on.
   *
   * @param values how many values each channel has in it
   * @throws RangeError when that is one
   */
  track(values: number, shape: readonly number[]): void {
    if (values === 1) {
      throw new RangeError(`batch norm cannot train on one value a channel, got [${shape.join(", ")}]`);
    }
    this.numBatchesTracked.add_(1);
  }
}
