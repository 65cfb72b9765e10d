import { defineMetric, meanOverImages } from "../define.js";

export const top1 = defineMetric({
  name: "top1",
  label: "top-1",
  summary: "the fraction of images whose best class is the label",
  formula: "1/N Σᵢ [yᵢ has rank 1]",
  unit: "fraction",
  digits: 2,
  better: "higher",
  columns: ["terminal", "report"],
  compute: ({ network, labels }) =>
    meanOverImages(network, (i) => Number(network.topClasses[i] === labels[i])),
});
