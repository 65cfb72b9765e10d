import type { GradientAverager } from "../distributed/index.js";
import { synchroniseBatchNorm } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { BadStep } from "./bad-step.js";
import { dropoutsOf } from "./dropout-counts.js";
import { Meter } from "./meter.js";
import type { Ranks } from "./ranks.js";
import { computeGradients, type Learner, networksOf, type TrainingBatch, updateWeights } from "./step.js";
import type { Stepper } from "./stepper.js";

/**
 * Takes steps together with other processes, each of which computes its part of the batch. The gradients are summed while
 * the backward pass still makes them, and every process updates its weights by the sum.
 *
 * What the processes must agree on, so that none waits for one that has left, goes with each step: whether one was asked to
 * stop, and whose loss is not finite. The sums of losses and correct predictions go with it too, so that each process has
 * those of all.
 */
export class RankStepper implements Stepper {
  readonly #learner: Learner;
  readonly #ranks: Ranks;
  readonly #meter: Meter | undefined;
  readonly #averager: GradientAverager;

  constructor(learner: Learner, ranks: Ranks, meter: Meter | undefined) {
    this.#learner = learner;
    this.#ranks = ranks;
    this.#meter = meter;
    const parameters = networksOf(learner).flatMap(({ model }) => model.parameters());
    this.#averager = ranks.group.averager(parameters.filter(({ requiresGrad }) => requiresGrad));
  }

  async step(batch: TrainingBatch): Promise<void> {
    using own = new Meter();
    const bad = this.#computeGradients(batch, own);
    await this.#averager.finish();
    own.addImages(1);
    const { names, sums } = own.state();
    const told = await this.#tell(bad, sums);
    if (told.stop) this.#ranks.stop();
    const loss = told.bad?.loss ?? told.sums[1]!;
    // Here the number is known in any case, and all refuse the step together, on a device too.
    if (!Number.isFinite(loss)) throw bad ?? new BadStep("loss", { loss }, told.bad?.rank);
    updateWeights(this.#learner);
    this.#meter?.include({ names, sums: told.sums, images: batch.part?.of ?? batch.labels.shape[0]! });
  }

  [Symbol.dispose](): void {
    this.#averager[Symbol.dispose]();
  }

  /** @returns the error of a loss that is not finite; the gradients are computed all the same, since others wait for them */
  #computeGradients(batch: TrainingBatch, meter: Meter): BadStep | undefined {
    const { group } = this.#ranks;
    const networks = networksOf(this.#learner).map(({ model }) => model);
    for (const model of networks) for (const [, dropout] of dropoutsOf(model)) dropout.setRows(batch.part);
    const synchronised = this.#learner.syncBatchNorm
      ? networks.map((model) => synchroniseBatchNorm(model, group))
      : [];
    let bad: BadStep | undefined;
    try {
      computeGradients(this.#learner, batch, meter, {
        beforeLast: () => this.#averager.begin(),
        onBadLoss: (error) => {
          bad ??= error;
        },
      });
    } catch (error) {
      throw group.explain(error);
    } finally {
      for (const each of synchronised) each[Symbol.dispose]();
    }
    return bad;
  }

  /**
   * Tells the other processes of this one's step, and hears of theirs.
   *
   * @returns whether one was asked to stop, the first loss that is not finite, and the sums over all
   */
  async #tell(
    bad: BadStep | undefined,
    sums: readonly number[],
  ): Promise<{ stop: boolean; bad?: { rank: number; loss: number }; sums: number[] }> {
    const { group, size, rank, isAskedToStop } = this.#ranks;
    const losses = Array<number>(size).fill(0);
    if (bad) losses[rank] = bad.values.loss ?? Number.NaN;
    const words = [isAskedToStop ? 1 : 0, ...losses, ...sums];
    const device = this.#learner.device ?? "cpu";
    const tensor = torch.keep(torch.tensor(words, { dtype: "float64", device }));
    try {
      await group.allReduce(tensor);
      const [stop, ...heard] = Array.from(tensor.toTypedArray(), Number);
      const loser = heard.slice(0, size).findIndex((loss) => !Number.isFinite(loss));
      return {
        stop: stop! > 0,
        ...(loser >= 0 && { bad: { rank: loser, loss: heard[loser]! } }),
        sums: heard.slice(size),
      };
    } finally {
      tensor.dispose();
    }
  }
}
