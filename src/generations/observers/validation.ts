import { evaluateLogits } from "../../analysis/index.js";
import { nll as nllMetric } from "../../analysis/metrics/nll.js";
import { scoreByRank as scoreByRankMetric } from "../../analysis/metrics/score-by-rank.js";
import { top1 as top1Metric } from "../../analysis/metrics/top1.js";
import type { Loader } from "../../data/index.js";
import type { Device } from "../../torch/index.js";
import { checkLogits, type Learner, predict, type TrainingObserver } from "../../training/index.js";

/**
 * Makes an observer that evaluates the network on held-out images after an epoch, and adds the result to the
 * epoch's report. Where the weights are averaged after each step, their average is evaluated; one over epochs is not yet
 * fit for it, since the statistics of its batch norms are computed at the end.
 *
 * @param options.every how many epochs pass from one evaluation to the next; there is always one after the last
 * @param options.epochs the number of epochs of the training
 */
export function validation(
  learner: Learner,
  heldOut: Loader,
  { every, epochs }: { every: number; epochs: number },
): TrainingObserver {
  const { model, averaged, averageFrom, ranks, device = "cpu" as Device } = learner;
  return {
    onEpoch: async (report) => {
      const done = report.epoch + 1;
      if (done % every !== 0 && done !== epochs) return;
      using _swapped = averageFrom === undefined ? averaged?.swap() : undefined;
      const { logits, labels } = await predict(model, heldOut, { device, ranks });
      using _freed = logits;
      checkLogits(logits, `the held-out images after epoch ${done}`);
      const metrics = [nllMetric, top1Metric, scoreByRankMetric];
      const { nll, top1, scoreByRank } = evaluateLogits(logits, labels, { metrics });
      report.validation = { loss: nll, top1, scoreByRank };
    },
  };
}
