import type { writeStudyReport as write } from "./write-study-report.js";

export type { StudyReportOptions } from "./write-study-report.js";

/**
 * Writes the report of a study; see `write-study-report.ts`. The packages for charts and pictures are loaded by the
 * first report, since that takes a third of a second.
 */
export const writeStudyReport: typeof write = async (...args) => {
  const { writeStudyReport } = await import("./write-study-report.js");
  return writeStudyReport(...args);
};
