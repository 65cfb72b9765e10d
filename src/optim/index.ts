/** Optimisers and learning-rate schedules. */
export { cosine, multiStep, oneCycle, type Schedule, withWarmup } from "./schedules.js";
export { SGD, type SGDOptions } from "./sgd.js";
