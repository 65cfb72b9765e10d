import { defineMetric } from "../define.js";

export const meanSecondaryScore = defineMetric({
  name: "meanSecondaryScore",
  label: "secondary score",
  summary: "the mean score of one secondary class, where the classes ranked 2 to k are secondary",
  formula: "1/N Σᵢ 1/(k − 1) Σᵣ pᵢ₍ᵣ₎, r = 2 … k",
  source: "the secondary classes of Yang, Xie, Qiao, Yuille, AAAI 2019",
  unit: "score",
  digits: 4,
  columns: ["terminal", "report"],
  note: (k) =>
    k > 2
      ? `secondary score: the mean score of the classes ranked 2 to ${k}`
      : "secondary score: the mean score of the class ranked 2",
  compute({ network, k }) {
    const secondary = network.meanScores.subarray(1, k);
    return secondary.reduce((sum, score) => sum + score, 0) / secondary.length;
  },
});
