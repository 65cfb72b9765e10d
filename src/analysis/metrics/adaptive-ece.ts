import { adaptiveCalibrationError } from "../calibration.js";
import { defineMetric } from "../define.js";

const bins = 15;

export const adaptiveEce = defineMetric({
  name: "adaptiveEce",
  label: "adaptive ECE",
  summary: `expected calibration error in ${bins} bins of as many images each, by rising top score`,
  formula: `Σ_b |B_b|/N · |accuracy(B_b) − confidence(B_b)|, b = 1 … ${bins}, B_b the images of ranks ⌈(b − 1)N/${bins}⌉ … ⌈bN/${bins}⌉ − 1 by p₍₁₎, counted from 0; images of one p₍₁₎ count as right in equal parts`,
  source:
    "the adaptive bins of Nixon, Dusenberry, Zhang, Jerfel, Tran, CVPR Workshops 2019, on the top score alone",
  unit: "fraction",
  digits: 2,
  better: "lower",
  columns: [],
  // Two images that nearly tie can change places at each border between bins.
  jumps: bins,
  compute: ({ network, labels }) =>
    adaptiveCalibrationError(network.confidences, network.correct(labels), bins),
});
