import type { Parameter } from "../nn/index.js";
import * as torch from "../torch/index.js";
import type { Optimizer } from "./optimizer.js";

/** A parameter that a step reaches. */
export interface Ready {
  parameter: Parameter;
  gradient: torch.Tensor;
}

export interface BaseOptions {
  learningRate: number;
  /** One operator for the whole update. Default: for parameters on a GPU, where libtorch has it. */
  fused?: boolean;
  /** Keeps the learning rate on the device too, so that a CUDA graph takes a new one. Default: as `fused`, or on a GPU. */
  capturable?: boolean;
}

/** What optimisers have in common; one of them adds its update and its state. */
export abstract class BaseOptimizer implements Optimizer {
  learningRate: number;
  readonly fused: boolean;
  readonly capturable: boolean;
  protected readonly parameters: readonly Parameter[];
  readonly #name: string;
  /** float32 [1] on the device, where `capturable`; and the number that was last written into it. */
  #rate: { tensor: torch.Tensor; written: number } | undefined;

  /**
   * @param kind the optimiser's name in messages, and whether libtorch has its whole update in one operator
   * @throws Error when `fused` is asked of a libtorch that has no such operator
   */
  protected constructor(
    parameters: readonly Parameter[],
    { learningRate, fused, capturable }: BaseOptions,
    kind: { name: string; hasFused?: () => boolean },
  ) {
    const { name, hasFused = () => false } = kind;
    const onCard = parameters[0]?.device.startsWith("cuda") ?? false;
    this.learningRate = learningRate;
    this.parameters = parameters;
    this.#name = name;
    this.fused = fused ?? (onCard && hasFused());
    this.capturable = this.fused || (capturable ?? onCard);
    if (this.fused && !hasFused())
      throw new Error(`libtorch ${torch.version()} has no fused ${name}: leave \`fused\` out`);
  }

  gradients(): torch.Tensor[] {
    return this.#ready().map(({ gradient }) => gradient);
  }

  prepare(): void {
    const device = this.parameters[0]?.device;
    if (!this.capturable || device === undefined) return;
    this.#rate ??= { tensor: torch.keep(torch.zeros([1], { device })), written: 0 };
    if (this.#rate.written !== this.learningRate) this.#rate.tensor.fill_(this.learningRate);
    this.#rate.written = this.learningRate;
  }

  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.grad = undefined;
  }

  step({ foundInf }: { foundInf?: torch.Tensor } = {}): void {
    if (foundInf && !this.fused)
      throw new TypeError(`only a fused ${this.#name} can leave a step out by itself`);
    torch.noGrad(() =>
      torch.scope(() => {
        const ready = this.#ready();
        if (ready.length === 0) return;
        this.prepare();
        this.update(ready, this.#rate?.tensor ?? this.learningRate, foundInf);
      }),
    );
  }

  abstract stateDict(): Record<string, torch.Tensor>;

  abstract loadStateDict(state: Readonly<Record<string, torch.Tensor>>): void;

  dispose(): void {
    this.#rate?.tensor.dispose();
    this.#rate = undefined;
  }

  /**
   * Updates parameters in place; gradients are not recorded, and tensors that are not kept are freed afterwards.
   *
   * @param ready the parameters that have a gradient, at least one
   * @param learningRate a number, or float32 [1] on the device where `capturable`
   * @param foundInf float32 [1], given only where `fused`: where it is not 0, nothing may change
   */
  protected abstract update(
    ready: readonly Ready[],
    learningRate: number | torch.Tensor,
    foundInf?: torch.Tensor,
  ): void;

  #ready(): Ready[] {
    return this.parameters.flatMap((parameter) => {
      const gradient = parameter.grad;
      return gradient ? [{ parameter, gradient }] : [];
    });
  }
}

/** @throws RangeError that names an option below 0 or not finite */
export function checkNotNegative(options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (!(value >= 0 && Number.isFinite(value)))
      throw new RangeError(`${name} must be 0 or more, got ${value}`);
  }
}
