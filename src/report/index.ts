import type { writeReport as write } from "./write-report.js";

/**
 * Writes a run's report; see `write-report.ts`. The packages for charts and pictures are loaded by the first
 * report, since that takes a third of a second.
 */
export const writeReport: typeof write = async (...args) => {
  const { writeReport } = await import("./write-report.js");
  return writeReport(...args);
};
export { type Conversion, convertRun, RunBoard } from "./convert/index.js";
export { type StudyReportOptions, writeStudyReport } from "./study/index.js";
