import { defineMetric } from "../define.js";

export const secondaryMass = defineMetric({
  name: "secondaryMass",
  label: "secondary mass",
  summary: "the mean score of all secondary classes together, where the classes ranked 2 to k are secondary",
  formula: "1/N Σᵢ Σᵣ pᵢ₍ᵣ₎, r = 2 … k",
  source: "the secondary classes of Yang, Xie, Qiao, Yuille, AAAI 2019",
  unit: "score",
  digits: 4,
  columns: [],
  compute: ({ network, k }) => network.meanScores.subarray(1, k).reduce((sum, score) => sum + score, 0),
});
