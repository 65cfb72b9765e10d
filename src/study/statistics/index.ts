/** Statistics of paired comparisons: pure functions of arrays of numbers. */
export { bootstrapMean } from "./bootstrap.js";
export { holm } from "./holm.js";
export { areEqual, estimateMean, type Interval, type MeanEstimate, meanOf } from "./interval.js";
export { MOST_SEEDS, seedsNeeded, smallestDifference } from "./power.js";
