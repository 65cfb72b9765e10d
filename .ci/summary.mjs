// Prints 'N passed, N failed' from Vitest's JSON report. A file that failed to load counts as one failure.
import { readFileSync } from "node:fs";

let report = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, testResults: [] };
try {
  report = JSON.parse(readFileSync(process.argv[2], "utf8"));
} catch {
  console.log("no test ran: Vitest left no report");
}
const unloaded = report.testResults.filter(
  (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
);
const skipped = report.numPendingTests > 0 ? `, ${report.numPendingTests} skipped` : "";
console.log(`${report.numPassedTests} passed, ${report.numFailedTests + unloaded.length} failed${skipped}`);
