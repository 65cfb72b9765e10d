import type { Parameter } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { foreachUpdate } from "./adamw/foreach-update.js";
import { fusedUpdate, hasFusedUpdate } from "./adamw/fused-update.js";
import { type Moments, readState, stateOf } from "./adamw/moments.js";
import type { Update } from "./adamw/update.js";
import { BaseOptimizer, type BaseOptions, checkNotNegative, type Ready } from "./base-optimizer.js";
import { copyAs } from "./copy-as.js";
import { defineOptimizer, learningRateOption, undecayed } from "./define.js";

export interface AdamWOptions extends BaseOptions {
  /** How much of the averages of gradients and of their squares stays at each step. Default: 0.9 and 0.999. */
  betas?: readonly [number, number];
  /** Added to the root of the average square. Default: 1e-8. */
  eps?: number;
  /** The share of a parameter that a step takes away, over the learning rate. Default: 0.01. */
  weightDecay?: number;
  /** Parameters that weight decay leaves alone. Default: none. */
  noDecay?: readonly Parameter[];
}

/**
 * Adam with decoupled weight decay, as torch.optim.AdamW does it (Loshchilov and Hutter 2019, algorithm 2):
 * w ← w - lr · weightDecay · w, m ← β1 m + (1 - β1) g, v ← β2 v + (1 - β2) g²,
 * w ← w - lr · m / (1 - β1ᵗ) / (√(v / (1 - β2ᵗ)) + eps), where t counts the steps in which the parameter had a gradient.
 */
export class AdamW extends BaseOptimizer {
  readonly #options: { betas: readonly [number, number]; eps: number; weightDecay: number };
  readonly #undecayed: ReadonlySet<Parameter>;
  /** The averages of the parameters that were updated before. */
  readonly #moments = new Map<Parameter, Moments>();

  /**
   * @throws RangeError when a number is out of range; Error when `fused` is asked of a libtorch that has no such operator
   */
  constructor(parameters: readonly Parameter[], options: AdamWOptions) {
    super(parameters, options, { name: "AdamW", hasFused: hasFusedUpdate });
    const { learningRate, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0.01, noDecay = [] } = options;
    checkNotNegative({ learningRate, eps, weightDecay });
    for (const beta of betas) {
      if (!(beta >= 0 && beta < 1)) throw new RangeError(`betas must be from 0 to below 1, got [${betas}]`);
    }
    this.#options = { betas, eps, weightDecay };
    this.#undecayed = new Set(noDecay);
  }

  protected override update(
    ready: readonly Ready[],
    learningRate: number | torch.Tensor,
    foundInf?: torch.Tensor,
  ): void {
    for (const update of this.#updates(ready)) {
      if (typeof learningRate !== "number" && this.fused) fusedUpdate(update, learningRate, foundInf);
      else foreachUpdate(update, learningRate);
    }
  }

  /**
   * By position of their parameter, with PyTorch's names, the averages of gradients (`exp_avg.0`) and of squares
   * (`exp_avg_sq.0`), and the steps taken (`step.0`, float32 []).
   */
  override stateDict(): Record<string, torch.Tensor> {
    return stateOf(this.parameters, this.#moments);
  }

  override loadStateDict(state: Readonly<Record<string, torch.Tensor>>): void {
    const found = readState(this.parameters, state);
    this.dispose();
    // Parameters that took as many steps share their count, as they did before.
    const counts = new Map<number, torch.Tensor>();
    for (const [parameter, { average, square, steps }] of found) {
      const step = counts.get(steps) ?? this.#count(parameter, steps);
      counts.set(steps, step);
      this.#moments.set(parameter, {
        average: copyAs(parameter, average),
        square: copyAs(parameter, square),
        step,
      });
    }
  }

  override dispose(): void {
    super.dispose();
    for (const { average, square, step } of this.#moments.values()) {
      for (const tensor of [average, square, step]) tensor.dispose();
    }
    this.#moments.clear();
  }

  /** A count of steps, where the update reads it: on the device if a recorded step must count on. */
  #count(parameter: Parameter, steps: number): torch.Tensor {
    return torch.keep(torch.tensor(steps, { device: this.capturable ? parameter.device : "cpu" }));
  }

  /** One update for each count of steps, which is one in all unless some parameters lacked a gradient at times. */
  #updates(ready: readonly Ready[]): Update[] {
    const byCount = new Map<torch.Tensor, Ready[]>();
    let fresh: torch.Tensor | undefined;
    for (const one of ready) {
      const { parameter } = one;
      let moments = this.#moments.get(parameter);
      if (!moments) {
        fresh ??= this.#count(parameter, 0);
        const zeros = () => torch.keep(torch.zerosLike(parameter));
        moments = { average: zeros(), square: zeros(), step: fresh };
        this.#moments.set(parameter, moments);
      }
      const chosen = byCount.get(moments.step);
      if (chosen) chosen.push(one);
      else byCount.set(moments.step, [one]);
    }
    return [...byCount].map(([step, chosen]) => this.#updateOf(chosen, step));
  }

  #updateOf(ready: readonly Ready[], step: torch.Tensor): Update {
    const moments = ready.map(({ parameter }) => this.#moments.get(parameter)!);
    const sharing = [...this.#moments.values()].filter((one) => one.step === step).length;
    // Those that have no gradient this time keep the old count.
    const own = sharing === ready.length ? step : torch.keep(step.clone());
    for (const one of moments) one.step = own;
    return { ready, moments, step: own, undecayed: this.#undecayed, ...this.#options };
  }
}

/** AdamW as recipes name it. */
export const adamw = defineOptimizer({
  name: "adamw",
  summary: "Adam with decoupled weight decay.",
  options: (z) => {
    const beta = z.number().min(0).lt(1);
    return {
      learningRate: learningRateOption(z, 1e-3),
      betas: z
        .tuple([beta, beta])
        .default([0.9, 0.999])
        .describe("How much of the averages of gradients and of their squares stays at each step."),
      eps: z
        .number()
        .positive()
        .max(1)
        .default(1e-8)
        .describe("Added to the root of the average square, so that small ones do not make large steps."),
      weightDecay: z
        .number()
        .min(0)
        .max(1)
        .default(0.01)
        .describe("The share of each weight that a step takes away, times the learning rate."),
      decayNorm: z
        .boolean()
        .default(false)
        .describe(
          "Weight decay on batch norm and biases too; trainings with AdamW usually leave them alone.",
        ),
    };
  },
  create: (parameters, { decayNorm, ...options }) =>
    new AdamW(parameters, { ...options, noDecay: undecayed(parameters, decayNorm) }),
});
