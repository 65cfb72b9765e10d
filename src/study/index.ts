/** Studies: arms compared over seeds, trained once and found again from small files. */
export { calibrate } from "./calibrate.js";
export { type Calibration, calibrated, readCalibration } from "./calibration.js";
export { type JudgedExpectation, judge, parseExpectation } from "./expectations.js";
export { findStudyFolder } from "./find-study-folder.js";
export { openStudy } from "./open-study.js";
export { type PairedDifference, paired, withoutRepeated } from "./paired.js";
export { independentGroups, type PlannedNetwork, planStudy } from "./plan.js";
export { type BegunStudy, beginStudy, type RunStudyOptions, runStudy, workAtStudy } from "./run-study.js";
export { claims } from "./sentences/claims.js";
export { differenceWords, findingOf, sidesInWords } from "./sentences/difference.js";
export { type StudySentences, studySentences } from "./sentences.js";
export type { Shard } from "./shards.js";
export { estimateMean, type Interval } from "./statistics/index.js";
export { checkStudy, type Study, StudyError } from "./study-file.js";
export { StudyFolder } from "./study-folder.js";
export { studyOfRuns } from "./study-of-runs.js";
export { studySummary } from "./study-summary.js";
export type * from "./types.js";
export {
  armNamed,
  armValues,
  countsProcessor,
  type Measure,
  scalarMetric,
  secondsOf,
} from "./values.js";
export { differenceText, partInWords, placeInWords, pText } from "./words.js";
export { forgetFailures, type WorkEvent } from "./work.js";
export { workAtParts } from "./work-at-parts.js";
