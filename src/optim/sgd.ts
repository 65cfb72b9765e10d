import type { Parameter } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { foreachUpdate } from "./foreach-update.js";
import { fusedUpdate, hasFusedUpdate } from "./fused-update.js";
import { kernelCan, kernelUpdate } from "./kernel-update.js";

export interface SGDOptions {
  learningRate: number;
  momentum?: number;
  nesterov?: boolean;
  /** L2 penalty, added to the gradient. */
  weightDecay?: number;
  /** Parameters that weight decay leaves alone. */
  noDecay?: readonly Parameter[];
  /** One operator for the whole update. Default: for parameters that are on a card, where libtorch has it. */
  fused?: boolean;
  /** Keeps the learning rate on the device too, so that a CUDA graph takes a new one. Default: as `fused`, or on a card. */
  capturable?: boolean;
}

/**
 * Stochastic gradient descent with momentum, as torch.optim.SGD does it: v ← momentum · v + g, w ← w - lr · v, where
 * the first v is the first g, and Nesterov's variant steps by g + momentum · v.
 *
 * All parameters are updated by a few operators on the whole list, or by one: on the CPU in float32 by Lyceum's own. Those without a gradient are left alone.
 */
export class SGD {
  learningRate: number;
  /** Whether one operator does the update, which can leave a step out by itself. */
  readonly fused: boolean;
  /** Whether a step can be recorded and done again with another learning rate. */
  readonly capturable: boolean;
  private readonly parameters: readonly Parameter[];
  private readonly options: Required<Omit<SGDOptions, "learningRate" | "noDecay" | "fused" | "capturable">>;
  private readonly undecayed: ReadonlySet<Parameter>;
  /** The velocity of each parameter that was updated before. */
  private readonly velocities = new Map<Parameter, torch.Tensor>();
  /** float32 [1], where `capturable`; and the number that was last written into it. */
  private rate: { tensor: torch.Tensor; value: number } | undefined;

  /**
   * @throws RangeError when a number is out of range, or Nesterov is asked for without momentum; Error when `fused` is
   *   asked of a libtorch that has no such operator
   */
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
    const onCard = parameters[0]?.device.startsWith("cuda") ?? false;
    this.fused = options.fused ?? (onCard && hasFusedUpdate);
    this.capturable = this.fused || (options.capturable ?? onCard);
    if (this.fused && !hasFusedUpdate) {
      throw new Error(`libtorch ${torch.version()} has no fused SGD: leave \`fused\` out`);
    }
  }

  /** Those that are there, in the order of their parameters. */
  gradients(): torch.Tensor[] {
    return this.parameters.flatMap((parameter) => parameter.grad ?? []);
  }

  /**
   * Brings the learning rate to the device, if it has changed. `step` does so too, but a captured step, which repeats
   * what tensors did, cannot.
   */
  prepare(): void {
    const device = this.parameters[0]?.device;
    if (!this.capturable || device === undefined) return;
    const value = this.learningRate;
    this.rate ??= { tensor: torch.keep(torch.zeros([1], { device })), value: 0 };
    if (this.rate.value !== value) this.rate.tensor.fill_(value);
    this.rate.value = value;
  }

  /** Forgets the gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.grad = undefined;
  }

  /**
   * Updates every parameter that has a gradient.
   *
   * @param options.foundInf float32 [1]: where it is not 0, nothing is changed. Only where `fused`.
   */
  step({ foundInf }: { foundInf?: torch.Tensor } = {}): void {
    if (foundInf && !this.fused) throw new TypeError("only a fused SGD can leave a step out by itself");
    torch.noGrad(() =>
      torch.scope(() => {
        const ready = this.parameters.flatMap((parameter) => {
          const gradient = parameter.grad;
          return gradient ? [{ parameter, gradient }] : [];
        });
        if (ready.length === 0) return;
        const { velocities, undecayed } = this;
        const update = { ready, velocities, undecayed, ...this.options };
        this.prepare();
        const rate = this.rate?.tensor;
        if (this.fused && rate) fusedUpdate(update, rate, foundInf);
        else if (!rate && kernelCan(update)) kernelUpdate(update, this.learningRate);
        else foreachUpdate(update, rate ?? this.learningRate);
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
    this.rate?.tensor.dispose();
    this.rate = undefined;
    for (const velocity of this.velocities.values()) velocity.dispose();
    this.velocities.clear();
  }
}
