import { defineMetric } from "../define.js";

export const meanTopScore = defineMetric({
  name: "meanTopScore",
  label: "top score",
  summary: "the mean score of the best class",
  formula: "1/N Σᵢ pᵢ₍₁₎",
  unit: "score",
  digits: 3,
  columns: ["terminal", "report"],
  compute: ({ network }) => network.meanScores[0]!,
});
