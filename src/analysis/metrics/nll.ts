import { defineMetric, meanOverImages } from "../define.js";

export const nll = defineMetric({
  name: "nll",
  label: "NLL",
  summary: "negative log-likelihood of the labels: the cross-entropy",
  formula: "−1/N Σᵢ ln pᵢ(yᵢ)",
  unit: "nats",
  digits: 3,
  better: "lower",
  columns: ["terminal", "report"],
  compute: ({ network, labels }) => meanOverImages(network, (i) => -network.logProbability(i, labels[i]!)),
});
