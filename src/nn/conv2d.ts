import * as torch from "../torch/index.js";
import { remember } from "./by-class.js";
import { convolve } from "./cpu/convolution.js";
import { uniformFanIn } from "./init.js";
import { applyToCudnn } from "./kernels.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

export interface Conv2dOptions {
  /** Pixels from one window to the next. Default: 1. */
  stride?: number;
  /** Pixels of zeros on each side. Default: 0. */
  padding?: number;
  /** Pixels from one weight of a window to the next. Default: 1. */
  dilation?: number;
  /** How many groups the channels fall into, each convolved by itself. Default: 1. */
  groups?: number;
  /** Whether a number is added to each channel. Default: yes. */
  bias?: boolean;
  /** Draws the first weights. */
  generator: torch.Generator;
}

/**
 * Convolution of [N, inChannels, H, W] with square windows, as torch.nn.Conv2d: weights are [outChannels,
 * inChannels / groups, kernelSize, kernelSize], drawn uniformly within ±1 / sqrt(fan-in).
 *
 * @throws RangeError when the groups do not divide the channels
 */
export class Conv2d extends Module {
  readonly weight: Parameter;
  /** Undefined for a convolution without. */
  readonly bias: Parameter | undefined;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
  readonly groups: number;

  static {
    remember(Conv2d);
  }

  constructor(inChannels: number, outChannels: number, kernelSize: number, options: Conv2dOptions) {
    super();
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, generator } = options;
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new RangeError(`${groups} groups do not divide ${inChannels} and ${outChannels} channels`);
    }
    this.weight = new Parameter(torch.empty([outChannels, inChannels / groups, kernelSize, kernelSize]));
    uniformFanIn(this.weight, generator);
    if (bias) {
      this.bias = new Parameter(torch.empty([outChannels]));
      uniformFanIn(this.bias, generator, (inChannels / groups) * kernelSize ** 2);
    }
    this.stride = stride;
    this.padding = padding;
    this.dilation = dilation;
    this.groups = groups;
  }

  /**
   * Computed in the input's dtype; weights may be finer. On the CPU, float32 and bfloat16 in channels-last memory take
   * Lyceum's operators, which are differentiable once; all else takes ATen's convolution.
   */
  override forward(x: torch.Tensor): torch.Tensor {
    const own = convolve(this, x);
    if (own) return own;
    applyToCudnn();
    const { weight, bias, stride, padding, dilation, groups } = this;
    const { dtype } = x;
    const pair = (value: number) => [value, value];
    return torch.conv2d(
      x,
      weight.to({ dtype }),
      bias?.to({ dtype }),
      pair(stride),
      pair(padding),
      pair(dilation),
      groups,
    );
  }
}
