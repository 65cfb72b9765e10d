import { evaluateLogits } from "../../analysis/index.js";
import { nll as nllMetric } from "../../analysis/metrics/nll.js";
import { top1 as top1Metric } from "../../analysis/metrics/top1.js";
import type { Loader } from "../../data/index.js";
import type { Device } from "../../torch/index.js";
import { checkLogits, type Learner, predict, type TrainingObserver } from "../../training/index.js";

/**
 * Makes an observer that evaluates the network on held-out images after each epoch, and adds the result to
 * the epoch's report. Where the weights are averaged, their average is evaluated.
 */
export function validation(learner: Learner, heldOut: Loader): TrainingObserver {
  const { model, averaged, device = "cpu" as Device } = learner;
  return {
    onEpoch: async (report) => {
      using _swapped = averaged?.swap();
      const { logits, labels } = await predict(model, heldOut, { device });
      using _freed = logits;
      checkLogits(logits, `the held-out images after epoch ${report.epoch + 1}`);
      const { nll, top1 } = evaluateLogits(logits, labels, { metrics: [nllMetric, top1Metric] });
      report.validation = { loss: nll, top1 };
    },
  };
}
