import * as torch from "../torch/index.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

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

  /** @throws RangeError in training when a channel has one value: the averages would be NaN from then on */
  override forward(x: torch.Tensor): torch.Tensor {
    if (this.training) {
      if (x.numel === x.shape[1]) {
        throw new RangeError(`batch norm cannot train on one value a channel, got [${x.shape.join(", ")}]`);
      }
      this.numBatchesTracked.add_(1);
    }
    const { weight, bias, runningMean, runningVar, training, momentum, eps } = this;
    return torch.batchNorm(x, weight, bias, runningMean, runningVar, training, momentum, eps, false);
  }
}
