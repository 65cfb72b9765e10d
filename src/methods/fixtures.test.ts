/** Compares the losses of methods with numbers from PyTorch (`fixtures/make.py`). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { type Method, methods } from "./index.js";

interface Fixtures {
  shape: [number, number];
  progress: number;
  epoch: number;
  epochs: number;
  logits: number[];
  labels: number[];
  teachers: number[][];
  cases: Case[];
}

interface Case {
  method: string;
  options: Record<string, unknown>;
  /** Whether the first teacher's logits stand for an earlier state of the network, or for the network trained beside it. */
  earlier?: true;
  loss: number;
  gradient: number[];
}

const { shape, progress, epoch, epochs, logits, labels, teachers, cases }: Fixtures = JSON.parse(
  readFileSync(new URL("./fixtures/methods.json", import.meta.url), "utf8"),
);
const known = new Map<string, Method>(methods.map((method) => [method.name, method as unknown as Method]));

describe("against PyTorch", () => {
  it("has every method that computes a loss", () => {
    const tested = new Set(cases.map(({ method }) => method));
    expect([...known.keys()].filter((name) => !tested.has(name))).toEqual(["pretrained"]);
  });

  it.each(cases)(
    "$method $options",
    ({ method: name, options, earlier, loss: expected, gradient: slopes }) => {
      const method = known.get(name)!;
      const student = torch.tensor(logits, { shape, dtype: "float64", requiresGrad: true });
      const double = (values: number[]) => torch.tensor(values, { shape, dtype: "float64" });
      const other = earlier && double(teachers[0]!);
      const { loss } = method.loss(
        {
          logits: student,
          labels: torch.tensor(labels, { dtype: "int64" }),
          teachers: (method.teachers?.(3, options) ?? []).map((_, i) => double(teachers[i]!)),
          ...(other && (method.peers ? { peers: [other] } : { snapshot: other })),
          generation: 3,
          generations: 5,
          progress,
          epoch,
          epochs,
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
    },
  );
});
