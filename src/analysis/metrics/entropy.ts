import { defineMetric, meanOverImages } from "../define.js";

export const entropy = defineMetric({
  name: "entropy",
  label: "entropy",
  summary:
    "the mean entropy of the scores: 0 where all score is on one class, ln C where it is spread evenly",
  formula: "−1/N Σᵢ Σ_c pᵢ(c) ln pᵢ(c)",
  source: "Shannon 1948",
  unit: "nats",
  digits: 3,
  columns: ["report"],
  compute: ({ network }) => meanOverImages(network, (i) => network.entropies[i]!),
});
