import * as torch from "../torch/index.js";
import { isOrdered } from "./blocked.js";
import { uniformFanIn } from "./init.js";
import { kernels } from "./kernels.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";
import { isPrepared } from "./prepared.js";

export interface Conv2dOptions {
  stride?: number;
  padding?: number;
  dilation?: number;
  groups?: number;
  bias?: boolean;
  /** Draws the first weights. */
  generator: torch.Generator;
}

/** Convolution of [N, inChannels, H, W] with square windows. */
export class Conv2d extends Module {
  readonly weight: Parameter;
  /** Undefined for a convolution without. */
  bias: Parameter | undefined;
  private readonly stride: number[];
  private readonly padding: number[];
  private readonly dilation: number[];
  private readonly groups: number;
  /** Of the kind that prepared primitives serve. */
  private readonly plain: boolean;

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
    this.stride = [stride, stride];
    this.padding = [padding, padding];
    this.dilation = [dilation, dilation];
    this.groups = groups;
    this.plain = groups === 1 && dilation === 1 && padding < kernelSize;
  }

  /**
   * Computed in the input's dtype; weights may be finer. On the CPU, float32 and bfloat16 in channels-last or blocked
   * memory take oneDNN's prepared primitives, which are differentiable once; all else takes ATen's convolution.
   */
  override forward(x: torch.Tensor): torch.Tensor {
    const prepared = this.prepared(x);
    if (prepared) return torch.op("lyceum::conv2d", ...prepared);
    const { weight, bias, stride, padding, dilation, groups } = this;
    const { dtype } = x;
    return torch.conv2d(x, weight.to({ dtype }), bias?.to({ dtype }), stride, padding, dilation, groups);
  }

  /** @internal The stride, where the window is of this size, with this padding all around. */
  strideOf(size: number, padding: number): number | undefined {
    const { weight } = this;
    const is = this.plain && weight.dtype === "float32" && weight.shape[2] === size;
    return is && this.padding[0] === padding ? this.stride[0] : undefined;
  }

  /** @internal What `lyceum::conv2d` and its kin take; undefined where they do not serve. */
  prepared(x: torch.Tensor): unknown[] | undefined {
    const { weight, bias, stride, padding } = this;
    if (!(this.plain && weight.dtype === "float32" && isPrepared(x.dtype) && isOrdered(x))) return undefined;
    return [x, weight, bias, stride, padding, kernels() === "fast"];
  }
}
