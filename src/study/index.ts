/** Studies: arms compared over seeds, trained once and found again from small files. */
export { calibrate } from "./calibrate.js";
export { type Calibration, readCalibration } from "./calibration.js";
export { type Expectation, type JudgedExpectation, judge, parseExpectation } from "./expectations.js";
export { findStudyFolder } from "./find-study-folder.js";
export { fingerprintLine, NUMERICS } from "./fingerprint.js";
export { type OpenStudyOptions, openStudy } from "./open-study.js";
export { type PairedDifference, type PairedOptions, paired, withoutRepeated } from "./paired.js";
export { type PlannedNetwork, planStudy } from "./plan.js";
export { type BegunStudy, beginStudy, type RunStudyOptions, runStudy, workAtStudy } from "./run-study.js";
export * from "./sentences.js";
export { estimateMean, type Interval } from "./statistics/index.js";
export { checkStudy, loadStudy, type Study, StudyError, type StudyFile } from "./study-file.js";
export { StudyFolder } from "./study-folder.js";
export { studyOfRuns } from "./study-of-runs.js";
export { readStudySummary, type StudySummary, studySummary } from "./study-summary.js";
export type * from "./types.js";
export {
  type ArmValues,
  armNamed,
  armValues,
  countsProcessor,
  type Measure,
  type Measured,
  type Place,
  scalarMetric,
  secondsOf,
  valuesOf,
} from "./values.js";
export { differenceText, measuredInWords, partInWords, placeInWords, pText } from "./words.js";
export { forgetFailures, type WorkEvent } from "./work.js";
