import type { Parameter } from "../nn/index.js";
import * as torch from "../torch/index.js";

export interface SGDOptions {
  learningRate: number;
  momentum?: number;
  nesterov?: boolean;
  /** L2 penalty, added to the gradient. */
  weightDecay?: number;
  /** Parameters that weight decay leaves alone. */
  noDecay?: readonly Parameter[];
}

/**
 * Stochastic gradient descent with momentum, as torch.optim.SGD does it: v ← momentum · v + g, w ← w - lr · v, where
 * the first v is the first g, and Nesterov's variant steps by g + momentum · v.
 *
 * All parameters are updated by a few operators on the whole list. Those without a gradient are left alone.
 */
export class SGD {
  learningRate: number;
  private readonly parameters: readonly Parameter[];
  private readonly options: Required<Omit<SGDOptions, "learningRate" | "noDecay">>;
  private readonly undecayed: ReadonlySet<Parameter>;
  /** The velocity of each parameter that was updated before. */
  private readonly velocities = new Map<Parameter, torch.Tensor>();

  /** @throws RangeError when a number is out of range, or Nesterov is asked for without momentum */
  constructor(parameters: readonly Parameter[], options: SGDOptions) {
    const { learningRate, momentum = 0, nesterov = false, weightDecay = 0, noDecay = [] } = options;
    for (const [name, value] of Object.entries({ learningRate, momentum, weightDecay })) {
      if (!(value >= 0 && Number.isFinite(value)))
        throw new RangeError(`${name} must be 0 or more, got ${value}`);
    }
    if (nesterov && momentum === 0) throw new RangeError("nesterov needs a momentum above 0");
    this.parameters = parameters;
    this.learningRate = learningRate;
    this.options = { momentum, nesterov, weightDecay };
    this.undecayed = new Set(noDecay);
  }

  /** Forgets the gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.grad = undefined;
  }

  /** Updates every parameter that has a gradient. */
  step(): void {
    torch.noGrad(() =>
      torch.scope(() => {
        const ready = this.parameters.flatMap((parameter) => {
          const gradient = parameter.grad;
          return gradient ? [{ parameter, gradient }] : [];
        });
        if (ready.length === 0) return;
        const parameters = ready.map(({ parameter }) => parameter);
        const gradients = this.decayed(ready);
        torch.foreachAdd_(parameters, this.directions(parameters, gradients), { alpha: -this.learningRate });
      }),
    );
  }

  /** The velocities by position of their parameter, detached, sharing memory: copy what must not change. */
  stateDict(): Record<string, torch.Tensor> {
    return Object.fromEntries(
      this.parameters.flatMap((parameter, i) => {
        const velocity = this.velocities.get(parameter);
        return velocity ? [[`velocity.${i}`, velocity.detach()]] : [];
      }),
    );
  }

  /**
   * Puts copies of the velocities in place of those at hand.
   *
   * @throws Error when a tensor's name or shape fits no parameter; nothing is changed then
   */
  loadStateDict(state: Readonly<Record<string, torch.Tensor>>): void {
    const found = Object.entries(state).map(([name, velocity]) => {
      const parameter = this.parameters[Number(/^velocity\.(\d+)$/.exec(name)?.[1] ?? -1)];
      if (!parameter || `${parameter.shape}` !== `${velocity.shape}`) {
        throw new Error(`the optimiser's ${name} of shape [${velocity.shape.join(", ")}] fits no parameter`);
      }
      return [parameter, velocity] as const;
    });
    this.dispose();
    for (const [parameter, velocity] of found) {
      // Laid out as the parameter, whose memory format a file does not keep.
      const copy = torch.noGrad(() => torch.emptyLike(parameter).copy_(velocity));
      this.velocities.set(parameter, torch.keep(copy));
    }
  }

  /** Frees the velocities; the next step starts without momentum. */
  dispose(): void {
    for (const velocity of this.velocities.values()) velocity.dispose();
    this.velocities.clear();
  }

  private decayed(ready: { parameter: Parameter; gradient: torch.Tensor }[]): torch.Tensor[] {
    const { weightDecay } = this.options;
    const gradients = ready.map(({ gradient }) => gradient);
    const chosen = ready.flatMap(({ parameter }, i) => (this.undecayed.has(parameter) ? [] : [i]));
    if (weightDecay === 0 || chosen.length === 0) return gradients;
    const sums = torch.foreachAdd(
      chosen.map((i) => gradients[i]!),
      chosen.map((i) => ready[i]!.parameter),
      { alpha: weightDecay },
    );
    chosen.forEach((i, at) => {
      gradients[i] = sums[at]!;
    });
    return gradients;
  }

  private directions(parameters: Parameter[], gradients: torch.Tensor[]): torch.Tensor[] {
    const { momentum, nesterov } = this.options;
    if (momentum === 0) return gradients;
    const known = parameters.flatMap((parameter, i) => (this.velocities.has(parameter) ? [i] : []));
    const moving = known.map((i) => this.velocities.get(parameters[i]!)!);
    if (known.length > 0) {
      torch.foreachMul_(moving, momentum);
      torch.foreachAdd_(
        moving,
        known.map((i) => gradients[i]!),
      );
    }
    parameters.forEach((parameter, i) => {
      if (!this.velocities.has(parameter)) this.velocities.set(parameter, torch.keep(gradients[i]!.clone()));
    });
    const velocities = parameters.map((parameter) => this.velocities.get(parameter)!);
    return nesterov ? torch.foreachAdd(gradients, velocities, { alpha: momentum }) : velocities;
  }
}
