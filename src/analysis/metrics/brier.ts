import { defineMetric, meanOverImages } from "../define.js";

export const brier = defineMetric({
  name: "brier",
  label: "Brier score",
  summary: "the squared distance of the scores from the label: 0 where all score is on the label, 2 at worst",
  formula: "1/N Σᵢ Σ_c (pᵢ(c) − [c = yᵢ])²",
  source: "Brier, Monthly Weather Review 1950",
  unit: "score",
  digits: 4,
  better: "lower",
  columns: ["report"],
  compute({ network, labels }) {
    const scores = new Float64Array(network.classes);
    return meanOverImages(network, (i) => {
      network.scores(i, scores);
      let sum = 0;
      for (let c = 0; c < scores.length; c++) sum += (scores[c]! - Number(c === labels[i])) ** 2;
      return sum;
    });
  },
});
