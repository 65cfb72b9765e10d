import type { writeReport as write } from "./write-report.js";

/** See `write-report.ts`. Charts and pictures are loaded by the first report: they take a third of a second. */
export const writeReport: typeof write = async (...args) => {
  const { writeReport } = await import("./write-report.js");
  return writeReport(...args);
};
