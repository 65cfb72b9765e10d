/** Optimisers, learning-rate schedules, and the scaling of gradients. */
export { GradScaler, type GradScalerOptions } from "./grad-scaler.js";
export { cosine, multiStep, oneCycle, type Schedule, withWarmup } from "./schedules.js";
export { SGD, type SGDOptions } from "./sgd.js";
