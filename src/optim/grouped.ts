import type { Tensor } from "../torch/index.js";
import type { Optimizer } from "./optimizer.js";

/** Parameters that one optimiser updates, and their learning rate as a multiple of the schedule's. */
export interface OptimizerGroup {
  optimizer: Optimizer;
  factor: number;
}

/**
 * Several optimisers as one, each of which updates parameters of its own at a rate of its own: the one that is set, times the
 * group's factor. It is what torch.optim calls parameter groups, for any optimiser. Disposing of it disposes of all.
 */
export class GroupedOptimizer implements Optimizer {
  readonly #groups: readonly OptimizerGroup[];
  #learningRate = 0;

  /** @param groups whose optimisers have no parameter in common; one or more */
  constructor(groups: readonly OptimizerGroup[], learningRate: number) {
    if (groups.length === 0) throw new TypeError("a grouped optimiser needs one group or more");
    this.#groups = groups;
    this.learningRate = learningRate;
  }

  /** The rate of the schedule, which each group multiplies by its factor. */
  get learningRate(): number {
    return this.#learningRate;
  }

  set learningRate(rate: number) {
    this.#learningRate = rate;
    for (const { optimizer, factor } of this.#groups) optimizer.learningRate = rate * factor;
  }

  get fused(): boolean {
    return this.#groups.every(({ optimizer }) => optimizer.fused);
  }

  get capturable(): boolean {
    return this.#groups.every(({ optimizer }) => optimizer.capturable);
  }

  gradients(): Tensor[] {
    return this.#groups.flatMap(({ optimizer }) => optimizer.gradients());
  }

  prepare(): void {
    for (const { optimizer } of this.#groups) optimizer.prepare();
  }

  zeroGrad(): void {
    for (const { optimizer } of this.#groups) optimizer.zeroGrad();
  }

  step(options?: { foundInf?: Tensor }): void {
    if (options?.foundInf && !this.fused)
      throw new TypeError("only fused optimisers can leave a step out by themselves");
    for (const { optimizer } of this.#groups) optimizer.step(options);
  }

  /** The states of the groups, each under its number (`0.velocity.3`). */
  stateDict(): Record<string, Tensor> {
    return Object.fromEntries(
      this.#groups.flatMap(({ optimizer }, i) =>
        Object.entries(optimizer.stateDict()).map(([name, tensor]) => [`${i}.${name}`, tensor]),
      ),
    );
  }

  loadStateDict(state: Readonly<Record<string, Tensor>>): void {
    const parts = this.#groups.map(() => ({}) as Record<string, Tensor>);
    for (const [name, tensor] of Object.entries(state)) {
      const [, group, rest] = /^(\d+)\.(.+)$/.exec(name) ?? [];
      const part = parts[Number(group ?? -1)];
      if (!part) throw new Error(`the optimiser's ${name} belongs to none of its ${parts.length} groups`);
      part[rest!] = tensor;
    }
    for (const [i, { optimizer }] of this.#groups.entries()) optimizer.loadStateDict(parts[i]!);
  }

  dispose(): void {
    for (const { optimizer } of this.#groups) optimizer.dispose();
  }
}
