import * as torch from "../../torch/index.js";
import { type Kernels, type Module, setKernels } from "../index.js";
import { expectAsExact, largest } from "./rounding.js";

export interface OutcomeOptions {
  dtype: "float32" | "float64";
  kernels: Kernels;
  /** Whether gradients are asked for. Default: yes. */
  gradients?: boolean;
}

/** The result of a module in training, its running statistics, and the gradients of the input and of all parameters. */
export function outcome(
  module: Module,
  x: torch.Tensor,
  { dtype, kernels, gradients = true }: OutcomeOptions,
): Map<string, torch.Tensor> {
  setKernels(kernels);
  try {
    module.to({ dtype }).train();
    const input = x.detach().to({ dtype }).clone().requiresGrad_(gradients);
    const y = gradients ? module.forward(input) : torch.noGrad(() => module.forward(input));
    const found = new Map([["y", y.detach()]]);
    if (gradients) {
      const dy = torch.randn(y.shape, { generator: new torch.Generator(9) });
      y.backward(dy.to({ dtype }).contiguous(y.shape.length === 4 ? "channelsLast" : "contiguous"));
      found.set("x", input.grad!);
      for (const [name, parameter] of module.namedParameters()) found.set(name, parameter.grad!);
    }
    for (const [name, buffer] of module.namedBuffers()) {
      if (name.includes("running")) found.set(name, buffer);
    }
    return found;
  } finally {
    setKernels("fast");
  }
}

/**
 * Expects a module in training by Lyceum's operators to be what it is layer by layer in float64, as exactly as libtorch's
 * operators are.
 *
 * @param make the same module each time: running statistics change
 */
export function expectTrainedAsExact(
  make: () => Module,
  x: torch.Tensor,
  { gradients = true }: { gradients?: boolean } = {},
): void {
  const exact = outcome(make(), x, { dtype: "float64", kernels: "libtorch", gradients });
  const libtorch = outcome(make(), x, { dtype: "float32", kernels: "libtorch", gradients });
  const found = outcome(make(), x, { dtype: "float32", kernels: "fast", gradients });
  // A gradient may be the difference of numbers of the size that other gradients have.
  const isGradient = (name: string) => name !== "y" && !name.includes("running");
  const size = Math.max(
    ...[...exact].filter(([name]) => isGradient(name)).map(([, value]) => largest(value)),
  );
  // Forward and backward.
  const layers = 2 * make().namedModules().size;
  for (const [what, value] of exact) {
    const judge = { libtorch: libtorch.get(what)!, exact: value, what, layers };
    expectAsExact(found.get(what)!, isGradient(what) ? { ...judge, size } : judge);
  }
}

/** What a module answers in evaluation, without gradients. */
export function answerOf(module: Module, x: torch.Tensor, { dtype, kernels }: OutcomeOptions): torch.Tensor {
  setKernels(kernels);
  try {
    return torch.noGrad(() => module.to({ dtype }).eval().forward(x.to({ dtype })));
  } finally {
    setKernels("fast");
  }
}
