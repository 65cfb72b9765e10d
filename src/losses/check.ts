import type { Tensor } from "../torch/index.js";

/** Throws a TypeError unless `logits` is [N, C] with at least one row; the name goes into the message. */
export function checkLogits(logits: Tensor, name = "logits"): void {
  const { shape } = logits;
  if (shape.length !== 2 || !shape[0] || !shape[1]) {
    throw new TypeError(`${name} must be [N, C] with N, C >= 1, got ${show(shape)}`);
  }
}

/** Throws a TypeError unless `labels` are int64 [N], one for each row of `logits`. */
export function checkLabels(labels: Tensor, logits: Tensor): void {
  const { shape, dtype } = labels;
  if (shape.length !== 1 || shape[0] !== logits.shape[0]) {
    throw new TypeError(`labels must be [N] beside logits ${show(logits.shape)}, got ${show(shape)}`);
  }
  if (dtype !== "int64") throw new TypeError(`labels must be int64, got ${dtype}`);
}

/** Throws a TypeError unless both are [N, C] and of one shape. */
export function checkPair(student: Tensor, teacher: Tensor): void {
  checkLogits(student, "student logits");
  checkLogits(teacher, "teacher logits");
  if (student.shape[0] !== teacher.shape[0] || student.shape[1] !== teacher.shape[1]) {
    throw new TypeError(
      `student and teacher logits differ in shape: ${show(student.shape)} and ${show(teacher.shape)}`,
    );
  }
}

/** Throws a RangeError unless k is a whole number in 2..classes. */
export function checkK(k: number, classes: number): void {
  if (!(Number.isInteger(k) && k >= 2 && k <= classes)) {
    throw new RangeError(`k must be a whole number from 2 to the ${classes} classes, got ${k}`);
  }
}

/** Throws a RangeError unless `value` is in [0, 1] (NaN is not). */
export function checkFraction(value: number, name: string): void {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} must be in [0, 1], got ${value}`);
}

/** Throws a RangeError unless the temperature is finite and positive. */
export function checkTemperature(temperature: number): void {
  if (!(temperature > 0 && temperature < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`temperature must be finite and > 0, got ${temperature}`);
  }
}

function show(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
