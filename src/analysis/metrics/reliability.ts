import { binSums } from "../calibration.js";
import { defineMetric } from "../define.js";

const bins = 15;

export const reliability = defineMetric({
  name: "reliability",
  label: "reliability",
  summary: `the ${bins} bins of ece, three numbers each: the part of all images in the bin, the part of all images in it that are right, and the sum of its top scores over N; \`reliabilityBins\` reads them as accuracy and confidence`,
  formula: `|B_b|/N, 1/N Σ_{i in B_b} [yᵢ has rank 1], 1/N Σ_{i in B_b} pᵢ₍₁₎ for b = 1 … ${bins}, bins (lower, upper] of p₍₁₎`,
  source: "DeGroot, Fienberg, The Statistician 1983; the bins of Guo, Pleiss, Sun, Weinberger, ICML 2017",
  unit: "fraction",
  digits: 4,
  columns: [],
  maxLength: 3 * bins,
  compute: ({ network, labels }) =>
    binSums(network.confidences, network.correct(labels), bins).flatMap(({ images, right, confidence }) => [
      images,
      right,
      confidence,
    ]),
});
