import { defineMetric } from "../define.js";
import { top1 } from "./top1.js";

export const gainOverMean = defineMetric({
  name: "gainOverMean",
  label: "gain over mean",
  summary: "the accuracy of an ensemble less the mean accuracy of its members",
  formula: "top1 − 1/M Σ_m top1 of m, m over the M members",
  unit: "fraction",
  digits: 2,
  better: "higher",
  columns: ["knowledge"],
  needs: ["members"],
  compute({ members, ...input }) {
    const each = members.map((network) => top1.compute({ ...input, network }));
    return top1.compute(input) - each.reduce((sum, accuracy) => sum + accuracy, 0) / each.length;
  },
});
