/** Studies: arms compared over seeds, trained once and found again from small files. */
export { fingerprintLine, NUMERICS } from "./fingerprint.js";
export { findStudyFolder, type OpenStudyOptions, openStudy } from "./open-study.js";
export { type PlannedNetwork, planStudy } from "./plan.js";
export { type BegunStudy, beginStudy, type RunStudyOptions, workAtStudy } from "./run-study.js";
export { checkStudy, loadStudy, type Study, StudyError, type StudyFile } from "./study-file.js";
export { StudyFolder } from "./study-folder.js";
export type * from "./types.js";
export { forgetFailures, type WorkEvent } from "./work.js";
