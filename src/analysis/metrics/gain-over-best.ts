import { defineMetric } from "../define.js";
import { top1 } from "./top1.js";

/** The best member is chosen by the very images that all are measured on, so that the gain is a cautious one. */
export const gainOverBest = defineMetric({
  name: "gainOverBest",
  label: "gain over best",
  summary: "the accuracy of an ensemble less that of its most accurate member on the same images",
  formula: "top1 − max_m top1 of m, m over the M members",
  unit: "fraction",
  digits: 2,
  better: "higher",
  columns: ["knowledge"],
  needs: ["members"],
  compute: ({ members, ...input }) =>
    top1.compute(input) - Math.max(...members.map((network) => top1.compute({ ...input, network }))),
});
