import { expect, test } from "vitest";
import type { TestResult } from "../runs/types.js";
import { resultRows } from "./result-rows.js";

const result = (test: TestResult, together: TestResult, k = 5) => ({
  k,
  generations: [{ generation: 0, role: "patriarch" as const, test, trainSeconds: 90, weights: "" }],
  ensembles: { "0-1": { test: together } },
});

test("columns are the metrics that some row has a value of; other cells stay empty", () => {
  const both = result({ top1: 0.9, nll: 0.25, entropy: 1 }, { top1: 0.95, meanSecondaryScore: 0.01 });
  expect(resultRows("terminal", both)).toEqual({
    headings: ["top-1", "NLL", "secondary score", "training"],
    rows: [
      ["patriarch", "90.00 %", "0.250", "", "1 min 30 s"],
      ["ensemble 0–1", "95.00 %", "", "0.0100", ""],
    ],
    notes: ["secondary score: the mean score of the classes ranked 2 to 5"],
  });
  expect(resultRows("report", both).headings).toContain("entropy");
});

test("the note says of how many classes the secondary score is the mean", () => {
  const of = (k: number) =>
    resultRows("report", result({ top1: 1, meanSecondaryScore: 0 }, { top1: 1 }, k)).notes;
  expect(of(3)).toEqual(["secondary score: the mean score of the classes ranked 2 to 3"]);
  expect(of(2)).toEqual(["secondary score: the mean score of the class ranked 2"]);
});

test("a number that is none, as infinity stored in JSON, is a dash", () => {
  expect(resultRows("report", result({ top1: 0, nll: Number.NaN }, { top1: 0 })).rows[0]![2]).toBe("–");
});
