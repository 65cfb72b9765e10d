import * as torch from "../torch/index.js";
import { uniformFanIn } from "./init.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

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
  }

  override forward(x: torch.Tensor): torch.Tensor {
    return torch.conv2d(x, this.weight, this.bias, this.stride, this.padding, this.dilation, this.groups);
  }
}
