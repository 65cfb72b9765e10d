import { defineMetric } from "../define.js";

const most = 10;

export const scoreByRank = defineMetric({
  name: "scoreByRank",
  label: "score by rank",
  summary: `the mean score of the best class, of the second best, …: the first ${most} ranks, or all where there are fewer classes`,
  formula: `1/N Σᵢ pᵢ₍ᵣ₎ for r = 1 … min(${most}, C)`,
  unit: "score",
  digits: 4,
  columns: [],
  maxLength: most,
  compute: ({ network }) => Array.from(network.meanScores.subarray(0, most)),
});
