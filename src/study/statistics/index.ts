/** Statistics of paired comparisons: pure functions of arrays of numbers. */
export { bcaInterval, bootstrapMean, FEWEST_FOR_BOOTSTRAP } from "./bootstrap.js";
export { holm } from "./holm.js";
export { areEqual, deviationOf, estimateMean, type Interval, type MeanEstimate, meanOf } from "./interval.js";
export {
  expectedMargin,
  MOST_SEEDS,
  type Planning,
  pairedPower,
  seedsNeeded,
  smallestDifference,
} from "./power.js";
export { tPower, tQuantile, tTwoSided } from "./student-t.js";
