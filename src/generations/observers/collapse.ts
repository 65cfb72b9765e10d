import type { TrainingObserver } from "../../training/index.js";

/**
 * Makes an observer that tells of a training which falls apart while its loss stays finite: the accuracy on the training images
 * of an epoch is less than half of the best epoch's before. It tells once a fall; accuracies too low to tell from guessing,
 * below three times chance, do not count as a best.
 *
 * @param classes how many classes the images have
 * @param tell is given a sentence
 */
export function collapse(classes: number, tell: (message: string) => void): TrainingObserver {
  let best = { top1: 0, epoch: 0 };
  let isDown = false;
  return {
    onEpoch: ({ epoch, top1 }) => {
      const fell = top1 < best.top1 / 2 && best.top1 > 3 / classes;
      if (fell && !isDown)
        tell(
          `epoch ${epoch + 1}: ${percent(top1)} of the training images are right, after ${percent(best.top1)} in epoch ` +
            `${best.epoch + 1}: the training seems to fall apart. A lower optimizer.learningRate, a few schedule.warmupEpochs, ` +
            "or clipNorm may mend it",
        );
      isDown = fell;
      if (top1 > best.top1) best = { top1, epoch };
    },
  };
}

const percent = (fraction: number) => `${(100 * fraction).toFixed(1)} %`;
