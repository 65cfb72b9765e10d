import { defineMetric, meanOverImages } from "../define.js";

export const top5 = defineMetric({
  name: "top5",
  label: "top-5",
  summary: "the fraction of images whose label is among the five best classes",
  formula: "1/N Σᵢ [yᵢ has rank 1 … 5]",
  unit: "fraction",
  digits: 2,
  better: "higher",
  columns: ["terminal", "report"],
  compute: ({ network, labels }) =>
    meanOverImages(network, (i) => Number(network.rankOf(i, labels[i]!) <= 5)),
});
