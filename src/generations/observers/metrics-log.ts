import type { EpochRecord } from "../../runs/index.js";
import type { EpochReport, TrainingObserver } from "../../training/index.js";

/** The fields of an epoch's record that are the same for all epochs of a generation. */
export type GenerationFields = Pick<EpochRecord, "generation" | "role" | "epochs">;

/** Makes an observer that appends a line to the run's metrics.jsonl after each epoch. */
export function metricsLog(
  folder: { appendMetrics(record: EpochRecord): Promise<void> },
  fields: GenerationFields,
): TrainingObserver {
  return { onEpoch: (report) => folder.appendMetrics(recordOf(fields, report)) };
}

/** Makes an epoch's record, which is stored and given to progress listeners, out of the training's report. */
export function recordOf({ generation, role, epochs }: GenerationFields, report: EpochReport): EpochRecord {
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
