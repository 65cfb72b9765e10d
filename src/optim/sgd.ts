import type { Parameter } from "../nn/index.js";
import type * as torch from "../torch/index.js";
import { BaseOptimizer, type BaseOptions, checkNotNegative, type Ready } from "./base-optimizer.js";
import { copyAs } from "./copy-as.js";
import { defineOptimizer, learningRateOption, undecayed } from "./define.js";
import { foreachUpdate } from "./sgd/foreach-update.js";
import { fusedUpdate, hasFusedUpdate } from "./sgd/fused-update.js";
import { kernelCan, kernelUpdate } from "./sgd/kernel-update.js";

export interface SGDOptions extends BaseOptions {
  /** Default: 0. */
  momentum?: number;
  /** Default: no. */
  nesterov?: boolean;
  /** L2 penalty, added to the gradient. Default: 0. */
  weightDecay?: number;
  /** Parameters that weight decay leaves alone. Default: none. */
  noDecay?: readonly Parameter[];
}

/**
 * Stochastic gradient descent with momentum, as torch.optim.SGD does it: v ← momentum · v + g, w ← w - lr · v, where
 * the first v is the first g, and Nesterov's variant steps by g + momentum · v.
 *
 * A few operators on whole lists update all parameters, or one operator does: in float32 on the CPU Lyceum's own.
 */
export class SGD extends BaseOptimizer {
  readonly #options: { momentum: number; nesterov: boolean; weightDecay: number };
  readonly #undecayed: ReadonlySet<Parameter>;
  /** The velocities of the parameters that were updated before. */
  readonly #velocities = new Map<Parameter, torch.Tensor>();

  /**
   * @throws RangeError when a number is out of range, or Nesterov is asked for without momentum; Error when `fused` is
   *   asked of a libtorch that has no such operator
   */
  constructor(parameters: readonly Parameter[], options: SGDOptions) {
    super(parameters, options, { name: "SGD", hasFused: hasFusedUpdate });
    const { learningRate, momentum = 0, nesterov = false, weightDecay = 0, noDecay = [] } = options;
    checkNotNegative({ learningRate, momentum, weightDecay });
    if (nesterov && momentum === 0) throw new RangeError("nesterov needs a momentum above 0");
    this.#options = { momentum, nesterov, weightDecay };
    this.#undecayed = new Set(noDecay);
  }

  protected override update(
    ready: readonly Ready[],
    learningRate: number | torch.Tensor,
    foundInf?: torch.Tensor,
  ): void {
    const update = { ready, velocities: this.#velocities, undecayed: this.#undecayed, ...this.#options };
    if (typeof learningRate === "number" && kernelCan(update)) kernelUpdate(update, learningRate);
    else if (typeof learningRate !== "number" && this.fused) fusedUpdate(update, learningRate, foundInf);
    else foreachUpdate(update, learningRate);
  }

  /** The velocities by position of their parameter (`velocity.0`). */
  override stateDict(): Record<string, torch.Tensor> {
    return Object.fromEntries(
      this.parameters.flatMap((parameter, i) => {
        const velocity = this.#velocities.get(parameter);
        return velocity ? [[`velocity.${i}`, velocity.detach()]] : [];
      }),
    );
  }

  override loadStateDict(state: Readonly<Record<string, torch.Tensor>>): void {
    const found = Object.entries(state).map(([name, velocity]) => {
      const parameter = this.parameters[Number(/^velocity\.(\d+)$/.exec(name)?.[1] ?? -1)];
      if (!parameter || `${parameter.shape}` !== `${velocity.shape}`) {
        throw new Error(`the optimiser's ${name} of shape [${velocity.shape.join(", ")}] fits no parameter`);
      }
      return [parameter, velocity] as const;
    });
    this.dispose();
    for (const [parameter, velocity] of found) this.#velocities.set(parameter, copyAs(parameter, velocity));
  }

  override dispose(): void {
    super.dispose();
    for (const velocity of this.#velocities.values()) velocity.dispose();
    this.#velocities.clear();
  }
}

/** SGD as recipes name it; its defaults are those of the papers that trained CIFAR's networks. */
export const sgd = defineOptimizer({
  name: "sgd",
  summary: "Stochastic gradient descent with momentum.",
  options: (z) => ({
    learningRate: learningRateOption(z, 0.1),
    momentum: z.number().min(0).lt(1).default(0.9).describe("Momentum of stochastic gradient descent."),
    nesterov: z.boolean().default(false).describe("Nesterov's momentum."),
    weightDecay: z.number().min(0).max(1).default(1e-4).describe("L2 penalty, added to the gradient."),
    decayNorm: z
      .boolean()
      .default(true)
      .describe("Weight decay on batch norm and biases too, as the papers do."),
  }),
  create: (parameters, { decayNorm, ...options }) =>
    new SGD(parameters, { ...options, noDecay: undecayed(parameters, decayNorm) }),
  check: ({ nesterov, momentum }) =>
    nesterov && momentum === 0 ? [{ key: "nesterov", message: "needs a momentum above 0" }] : [],
});
