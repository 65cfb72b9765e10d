import { Predictions } from "../predictions.js";

/** Makes predictions whose best class is given for each image. */
export const predicting = (classes: number, ...best: number[]) =>
  new Predictions({
    values: Float32Array.from(best.flatMap((top) => Array.from({ length: classes }, (_, c) => +(c === top)))),
    classes,
  });
