import type { EpochRecord, RunFolder } from "../../runs/index.js";
import type { EpochReport, TrainingObserver } from "../../training/index.js";

/** The generation that an epoch's record belongs to. */
export type Whose = Pick<EpochRecord, "generation" | "role" | "epochs">;

/** Appends a line to the run's log after each epoch. */
export function metricsLog(folder: RunFolder, whose: Whose): TrainingObserver {
  return { onEpoch: (report) => folder.appendMetrics(recordOf(whose, report)) };
}

/** An epoch's report as it is stored and told. */
export function recordOf({ generation, role, epochs }: Whose, report: EpochReport): EpochRecord {
  return {
    generation,
    role,
    epoch: report.epoch + 1,
    epochs,
    learningRate: report.learningRate,
    trainLoss: report.loss,
    terms: report.terms,
    trainTop1: report.top1,
    ...(report.validation && { validation: report.validation }),
    imagesPerSecond: report.imagesPerSecond,
    seconds: report.seconds,
    date: new Date().toISOString(),
  };
}
