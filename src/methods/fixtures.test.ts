/** Compares the losses of methods with numbers from PyTorch (`fixtures/make.py`). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { type Method, methods } from "./index.js";

interface Fixtures {
  shape: [number, number];
  progress: number;
  logits: number[];
  labels: number[];
  teachers: number[][];
  cases: { method: string; options: Record<string, unknown>; loss: number; gradient: number[] }[];
}

const { shape, progress, logits, labels, teachers, cases }: Fixtures = JSON.parse(
  readFileSync(new URL("./fixtures/methods.json", import.meta.url), "utf8"),
);
const known = new Map<string, Method>(methods.map((method) => [method.name, method as unknown as Method]));

describe("against PyTorch", () => {
  it.each(cases)("$method $options", ({ method: name, options, loss: expected, gradient: slopes }) => {
    const method = known.get(name)!;
    const student = torch.tensor(logits, { shape, dtype: "float64", requiresGrad: true });
    const { loss } = method.loss(
      {
        logits: student,
        labels: torch.tensor(labels, { dtype: "int64" }),
        teachers: (method.teachers?.(3, options) ?? []).map((_, i) =>
          torch.tensor(teachers[i]!, { shape, dtype: "float64" }),
        ),
        generation: 3,
        generations: 5,
        progress,
        epoch: 0,
        epochs: 1,
      },
      options,
    );
    // The fixture holds 13 digits. Each side makes fewer than a hundred roundings of numbers up to a hundred times as
    // large as the loss (weights times T²).
    expect(Math.abs(loss.item() - expected)).toBeLessThan(2e-12 * Math.max(1, Math.abs(expected)));
    const [gradient] = torch.grad(loss, [student]);
    Array.from(gradient!.toTypedArray(), Number).forEach((slope, i) => {
      expect(Math.abs(slope - slopes[i]!)).toBeLessThan(2e-12 * Math.max(1, Math.abs(slopes[i]!)));
    });
  });
});
