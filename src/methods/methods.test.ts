import { describe, expect, it } from "vitest";
import { distillation as divergence, patriarchLoss, topScoreDifference as tsd } from "../losses/index.js";
import { zod } from "../packages.js";
import * as torch from "../torch/index.js";
import {
  defineMethod,
  describeMethod,
  distillation,
  type LossInput,
  type Method,
  methods,
  strict,
  topScoreDifference,
} from "./index.js";

const [images, classes] = [7, 6];
const generator = new torch.Generator(4);
const draw = () => torch.keep(torch.randn([images, classes], { generator, dtype: "float64" }).mul(2));
const labels = torch.keep(torch.randint(0, classes, [images], { generator, dtype: "int64" }));

/** The input that a loss is given for a network in the middle of a line. */
function inputOf(logits: torch.Tensor, teachers: number): LossInput {
  const teacherLogits = Array.from({ length: teachers }, draw);
  return {
    logits,
    labels,
    teachers: teacherLogits,
    snapshot: draw(),
    peers: [draw()],
    generation: 3,
    generations: 5,
    progress: 0.25,
    epoch: 1,
    epochs: 4,
  };
}

/** Options of methods that cannot do without. */
const needed: Record<string, object> = { pretrained: { weights: "a.safetensors", sha256: "0".repeat(64) } };

/** The options of a method in a recipe that gives none, or only what it needs: their defaults. */
const defaultsOf = (method: Method) => {
  const { z } = zod();
  return z.object(method.options?.(z) ?? {}).parse(needed[method.name] ?? {});
};

describe.each((methods as readonly Method[]).map((method) => [method.name, method] as const))(
  "%s",
  (_, method) => {
    const options = defaultsOf(method);
    const teachers = method.teachers?.(3, options) ?? [];

    it("asks only for earlier generations", () => {
      for (const teacher of teachers) expect(teacher).toBeLessThan(3);
      for (const teacher of teachers) expect(teacher).toBeGreaterThanOrEqual(0);
    });

    it("gives scalars, and a term for each name that it explains", () => {
      const { loss, terms } = method.loss(inputOf(draw(), teachers.length), options);
      expect(Object.keys(terms)).toEqual(Object.keys(method.terms));
      for (const scalar of [loss, ...Object.values(terms)]) {
        expect(scalar.shape).toEqual([]);
        expect(Number.isFinite(scalar.item())).toBe(true);
      }
    });

    it("has the gradient that finite differences give", () => {
      const logits = draw();
      const input = inputOf(logits, teachers.length);
      const at = (values: torch.Tensor) => method.loss({ ...input, logits: values }, options).loss;
      const leaf = logits.clone().requiresGrad_();
      at(leaf).backward();
      const gradient = leaf.grad!.toTypedArray() as Float64Array;
      const step = 1e-6;
      for (let i = 0; i < images * classes; i += 5) {
        const [up, down] = [step, -step].map((h) => {
          const values = logits.toTypedArray() as Float64Array;
          values[i]! += h;
          return at(torch.tensor(values, { shape: [images, classes], dtype: "float64" })).item();
        });
        // The truncation error of the difference quotient is of the order of step², its rounding error of
        // 1e-16 / step.
        expect(Math.abs((up! - down!) / (2 * step) - gradient[i]!)).toBeLessThan(1e-8);
      }
    });

    it("finds nothing wrong with its defaults, describes them, and is frozen", () => {
      expect(method.check?.(options, { classes: 10 }) ?? []).toEqual([]);
      expect(describeMethod(method, method.complete?.(options) ?? options)).toMatch(/\w/);
      expect(method.summary).toMatch(/\.$/);
      expect(Object.isFrozen(method)).toBe(true);
    });
  },
);

it("strict is the cross-entropy", () => {
  const logits = draw();
  const { loss } = strict.loss(inputOf(logits, 0), {});
  const expected = logits.logSoftmax(1).gather(1, labels.unsqueeze(1)).mean().neg();
  expect(Math.abs(loss.item() - expected.item())).toBeLessThan(1e-14);
});

it("top-score-difference weighs both terms as its primary score asks", () => {
  const logits = draw();
  const { loss, terms } = topScoreDifference.loss(inputOf(logits, 0), { k: 5, primaryScore: 0.8 });
  expect(loss.item()).toBe(patriarchLoss(logits, labels, { k: 5, hardWeight: 0.5 }).loss.item());
  expect(terms.topScoreDifference!.item()).toBe(tsd(logits, { k: 5 }).item());
  expect(topScoreDifference.complete!({ k: 5 })).toEqual({ k: 5, primaryScore: 0.8 });
  expect(topScoreDifference.complete!({ k: 5, hardWeight: 0.4 })).toEqual({ k: 5, hardWeight: 0.4 });
});

it.each([
  [{ k: 5, primaryScore: 0.8, hardWeight: 0.5 }, undefined, "not both"],
  [{ k: 11, primaryScore: 0.8 }, "k", "at most 10"],
  [{ k: 5, primaryScore: 0.1 }, "primaryScore", "outside the useful range"],
  [{ k: 5, hardWeight: 0.9 }, "hardWeight", "outside the useful range"],
])("top-score-difference refuses %j", (options, key, message) => {
  const [problem] = topScoreDifference.check!(options, { classes: 10 });
  expect(problem?.key).toBe(key);
  expect(problem?.message).toContain(message);
});

it("distillation learns from the generation before, at its temperature", () => {
  const logits = draw();
  const input = inputOf(logits, 1);
  const options = { hardWeight: 0.25, softWeight: 0.5, temperature: 3 };
  const { loss, terms } = distillation.loss(input, options);
  const soft = divergence(logits, input.teachers[0]!, { temperature: 3 });
  expect(terms.soft!.item()).toBe(soft.item());
  expect(loss.item()).toBeCloseTo(0.25 * terms.hard!.item() + 0.5 * soft.item(), 12);
  expect(distillation.teachers!(4, options)).toEqual([3]);
  expect(distillation.check!({ ...options, hardWeight: 0, softWeight: 0 }, { classes: 10 })).toHaveLength(1);
});

it("a name must be able to stand in a recipe and on a command line", () => {
  const rest = { summary: "", formula: "", terms: {}, loss: strict.loss };
  for (const name of ["", "Mine", "my method", "-x", "a--b", "é"]) {
    expect(() => defineMethod({ ...rest, name })).toThrow(TypeError);
  }
  expect(defineMethod({ ...rest, name: "my-method-2" }).kind).toBe("method");
});
