import { expectedCalibrationError } from "../calibration.js";
import { defineMetric } from "../define.js";

const bins = 15;

export const ece = defineMetric({
  name: "ece",
  label: "ECE",
  summary: `expected calibration error: how far the top score is from the accuracy, in ${bins} bins of equal width`,
  formula: `Σ_b |B_b|/N · |accuracy(B_b) − confidence(B_b)|, b = 1 … ${bins}, bins (lower, upper] of p₍₁₎`,
  source: "Guo, Pleiss, Sun, Weinberger, ICML 2017, equation 3",
  unit: "fraction",
  digits: 2,
  better: "lower",
  columns: ["terminal", "report"],
  note: () => `ECE: expected calibration error, ${bins} bins`,
  compute: ({ network, labels }) =>
    expectedCalibrationError(network.confidences, network.correct(labels), bins),
});
