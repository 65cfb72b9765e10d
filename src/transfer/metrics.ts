import type { Metric } from "../analysis/index.js";
import { classifiers } from "./classifiers/index.js";

/** A number that a transfer tells of a network, by its name in a run's summary. */
export type TransferMetric = Pick<Metric, "name" | "label" | "summary" | "unit" | "digits" | "better">;

/** The numbers of every classifier, such as `svmTop1` and `svmMeanClassAccuracy`. */
export const transferMetrics: readonly TransferMetric[] = classifiers.flatMap(({ name, label }) => [
  {
    name: `${name}Top1`,
    label: `${label} top-1`,
    summary: "the fraction of the other images that the classifier gets right by the network's features",
    ...{ unit: "fraction", digits: 2, better: "higher" },
  },
  {
    name: `${name}MeanClassAccuracy`,
    label: `${label} mean class accuracy`,
    summary: "the mean over the classes of the fraction of their images that the classifier gets right",
    ...{ unit: "fraction", digits: 2, better: "higher" },
  },
]);
