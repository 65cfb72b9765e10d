import { scope, type Tensor } from "../torch/index.js";
import { BatchNorm2d } from "./batch-norm2d.js";
import { Conv2d } from "./conv2d.js";
import { Module } from "./module.js";

/** Modules one after another, named "0", "1", … */
export class Sequential extends Module {
  [index: number]: Module;
  protected readonly count: number;

  constructor(...modules: Module[]) {
    super();
    this.count = modules.length;
    modules.forEach((module, i) => {
      this[i] = module;
    });
  }

  override batchNormPairs(): [string, string][] {
    return Array.from({ length: Math.max(0, this.count - 1) }, (_, i) => i)
      .filter((i) => this[i] instanceof Conv2d && this[i + 1] instanceof BatchNorm2d)
      .map((i) => [String(i), String(i + 1)]);
  }

  override forward(x: Tensor): Tensor {
    let y = x;
    // Each part in a scope of its own: what nobody needs for the gradient is free for the next part to use.
    for (let i = 0; i < this.count; i++) {
      const [module, input] = [this[i]!, y];
      y = scope(() => module.forward(input));
    }
    return y;
  }
}
