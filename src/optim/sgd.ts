import type { Parameter } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { defineOptimizer, learningRateOption, undecayed } from "./define.js";
import { DeviceRate } from "./device-rate.js";
import type { Optimizer } from "./optimizer.js";
import { checkNotNegative, copyAs, onCard, readyOf } from "./parameters.js";
import { foreachUpdate } from "./sgd/foreach-update.js";
import { fusedUpdate, hasFusedUpdate } from "./sgd/fused-update.js";
import { kernelCan, kernelUpdate } from "./sgd/kernel-update.js";

export interface SGDOptions {
  learningRate: number;
  /** Default: 0. */
  momentum?: number;
  /** Default: no. */
  nesterov?: boolean;
  /** L2 penalty, added to the gradient. Default: 0. */
  weightDecay?: number;
  /** Parameters that weight decay leaves alone. Default: none. */
  noDecay?: readonly Parameter[];
  /** One operator for the whole update. Default: for parameters on a GPU, where libtorch has it. */
  fused?: boolean;
  /** Keeps the learning rate on the device too, so that a CUDA graph takes a new one. Default: as `fused`, or on a GPU. */
  capturable?: boolean;
}

/**
 * Stochastic gradient descent with momentum, as torch.optim.SGD does it: v ← momentum · v + g, w ← w - lr · v, where
 * the first v is the first g, and Nesterov's variant steps by g + momentum · v.
 *
 * A few operators on whole lists update all parameters, or one operator does: in float32 on the CPU Lyceum's own.
 */
export class SGD implements Optimizer {
  learningRate: number;
  readonly fused: boolean;
  readonly capturable: boolean;
  readonly #parameters: readonly Parameter[];
  readonly #options: { momentum: number; nesterov: boolean; weightDecay: number };
  readonly #undecayed: ReadonlySet<Parameter>;
  /** The velocities of the parameters that were updated before. */
  readonly #velocities = new Map<Parameter, torch.Tensor>();
  readonly #rate = new DeviceRate();

  /**
   * @throws RangeError when a number is out of range, or Nesterov is asked for without momentum; Error when `fused` is
   *   asked of a libtorch that has no such operator
   */
  constructor(parameters: readonly Parameter[], options: SGDOptions) {
    const { learningRate, momentum = 0, nesterov = false, weightDecay = 0, noDecay = [] } = options;
    checkNotNegative({ learningRate, momentum, weightDecay });
    if (nesterov && momentum === 0) throw new RangeError("nesterov needs a momentum above 0");
    this.learningRate = learningRate;
    this.#parameters = parameters;
    this.#options = { momentum, nesterov, weightDecay };
    this.#undecayed = new Set(noDecay);
    const card = onCard(parameters);
    this.fused = options.fused ?? (card && hasFusedUpdate());
    this.capturable = this.fused || (options.capturable ?? card);
    if (this.fused && !hasFusedUpdate()) {
      throw new Error(`libtorch ${torch.version()} has no fused SGD: leave \`fused\` out`);
    }
  }

  gradients(): torch.Tensor[] {
    return readyOf(this.#parameters).map(({ gradient }) => gradient);
  }

  prepare(): void {
    this.#deviceRate();
  }

  zeroGrad(): void {
    for (const parameter of this.#parameters) parameter.grad = undefined;
  }

  step({ foundInf }: { foundInf?: torch.Tensor } = {}): void {
    if (foundInf && !this.fused) throw new TypeError("only a fused SGD can leave a step out by itself");
    torch.noGrad(() =>
      torch.scope(() => {
        const ready = readyOf(this.#parameters);
        if (ready.length === 0) return;
        const update = {
          ready,
          velocities: this.#velocities,
          undecayed: this.#undecayed,
          ...this.#options,
        };
        const rate = this.#deviceRate();
        if (this.fused && rate) fusedUpdate(update, rate, foundInf);
        else if (!rate && kernelCan(update)) kernelUpdate(update, this.learningRate);
        else foreachUpdate(update, rate ?? this.learningRate);
      }),
    );
  }

  /** The velocities by position of their parameter (`velocity.0`). */
  stateDict(): Record<string, torch.Tensor> {
    return Object.fromEntries(
      this.#parameters.flatMap((parameter, i) => {
        const velocity = this.#velocities.get(parameter);
        return velocity ? [[`velocity.${i}`, velocity.detach()]] : [];
      }),
    );
  }

  loadStateDict(state: Readonly<Record<string, torch.Tensor>>): void {
    const found = Object.entries(state).map(([name, velocity]) => {
      const parameter = this.#parameters[Number(/^velocity\.(\d+)$/.exec(name)?.[1] ?? -1)];
      if (!parameter || `${parameter.shape}` !== `${velocity.shape}`) {
        throw new Error(`the optimiser's ${name} of shape [${velocity.shape.join(", ")}] fits no parameter`);
      }
      return [parameter, velocity] as const;
    });
    this.dispose();
    for (const [parameter, velocity] of found) this.#velocities.set(parameter, copyAs(parameter, velocity));
  }

  dispose(): void {
    this.#rate.dispose();
    for (const velocity of this.#velocities.values()) velocity.dispose();
    this.#velocities.clear();
  }

  #deviceRate(): torch.Tensor | undefined {
    const device = this.#parameters[0]?.device;
    return this.capturable && device ? this.#rate.bring(this.learningRate, device) : undefined;
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
