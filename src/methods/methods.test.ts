import { describe, expect, it } from "vitest";
import { distillation as divergence, patriarchLoss, topScoreDifference as tsd } from "../losses/index.js";
import { zod } from "../packages.js";
import * as torch from "../torch/index.js";
import {
  bornAgain,
  defineMethod,
  describeMethod,
  distillation,
  type Losses,
  type LossInput,
  type Method,
  meanOfTeachers,
  methods,
  optionsAt,
  permutedDistillation,
  snapshotDistillation,
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

    it("comes, computed in parts, to the loss and the terms of the batch, or says why it cannot", () => {
      const logits = draw();
      const input = inputOf(logits, teachers.length);
      const whole = method.loss(input, options);
      const parts = [
        { start: 0, rows: 3 },
        { start: 3, rows: 4 },
      ].map(({ start, rows }) => {
        const narrow = (tensor: torch.Tensor) => tensor.narrow(0, start, rows);
        const part = {
          ...input,
          ...{ logits: narrow(logits), labels: narrow(labels), teachers: input.teachers.map(narrow) },
          ...{
            snapshot: narrow(input.snapshot!),
            peers: input.peers!.map(narrow),
            part: { start, of: images },
          },
        };
        return { losses: method.loss(part, options), share: rows / images };
      });
      const sumOf = (pick: (losses: Losses) => torch.Tensor) =>
        parts.reduce((sum, { losses, share }) => sum + share * pick(losses).item(), 0);
      if (method.wholeBatch?.(options) !== undefined) {
        expect(Math.abs(sumOf(({ loss }) => loss) - whole.loss.item())).toBeGreaterThan(1e-6);
        return;
      }
      expect(sumOf(({ loss }) => loss)).toBeCloseTo(whole.loss.item(), 12);
      for (const [name, term] of Object.entries(whole.terms))
        expect(sumOf(({ terms }) => terms[name]!)).toBeCloseTo(term.item(), 12);
    });

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

    it("does not look at the length of the line, so that a longer line trains the same networks", () => {
      const input = inputOf(draw(), teachers.length);
      const blind = Object.defineProperty({ ...input }, "generations", {
        get: () => {
          throw new Error("read generations");
        },
      });
      expect(method.loss(blind, options).loss.item()).toBe(method.loss(input, options).loss.item());
    });

    it("has the same options for one generation, however often they are asked for", () => {
      const place = { generation: 3, generations: 5 };
      const once = optionsAt(method, options, place);
      expect(Object.keys(once)).toEqual(Object.keys(options));
      expect(optionsAt(method, once, place)).toEqual(once);
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

it("distillation's weights may change from student to student", () => {
  const options = { hardWeight: { from: 0.2, to: 0.6 }, softWeight: [0.8, 0.5], temperature: 1 };
  const at = (generation: number) => distillation.at!(options, { generation, generations: 4 });
  expect([1, 2, 3].map(at)).toEqual([
    { hardWeight: 0.2, softWeight: 0.8, temperature: 1 },
    { hardWeight: 0.4, softWeight: 0.5, temperature: 1 },
    { hardWeight: 0.6, softWeight: 0.5, temperature: 1 },
  ]);
  expect(describeMethod(distillation as unknown as Method, options)).toBe(
    "labels weigh 0.2 going to 0.6, the teacher 0.8, then 0.5, at temperature 1",
  );
  expect(() => distillation.loss(inputOf(draw(), 1), options)).toThrow("must be made one number");
});

it("distillation may soften its teacher alone", () => {
  const input = inputOf(draw(), 1);
  const options = { hardWeight: 0, softWeight: 1, temperature: 1, teacherTemperature: 4 };
  const { terms } = distillation.loss(input, options);
  expect(terms.soft!.item()).toBe(divergence(input.logits, input.teachers[0]!.div(4)).item());
  expect(distillation.describe!(options)).toContain("at temperature 4 (the teacher's alone)");
  expect(distillation.check!({ ...options, temperature: 2 }, { classes: 10 })).toHaveLength(1);
});

it("born-again learns nothing from the labels", () => {
  const input = inputOf(draw(), 1);
  const [one, other] = [labels, labels.add(1).remainder(classes)].map((changed) =>
    bornAgain.loss({ ...input, labels: changed }, { temperature: 1 }).loss.item(),
  );
  expect(one).toBe(other);
});

it.each([
  ["all" as const, [0, 1, 2, 3]],
  [{ last: 2 }, [2, 3]],
  [{ last: 9 }, [0, 1, 2, 3]],
  [
    [3, 0, 7],
    [3, 0],
  ],
])("mean-of-teachers takes %j of the generations before 4 as %j", (generations, expected) => {
  const options = { hardWeight: 0.5, softWeight: 0.5, temperature: 1, generations };
  expect(meanOfTeachers.teachers!(4, options)).toEqual(expected);
  const settled = meanOfTeachers.at!(options, { generation: 4, generations: 9 });
  expect(settled.generations).toEqual(expected);
  expect(meanOfTeachers.teachers!(4, settled)).toEqual(expected);
  expect(() => meanOfTeachers.teachers!(0, options)).toThrow(RangeError);
});

it("permuted-distillation draws anew in each step, and the same again after a resume", () => {
  const input = inputOf(draw(), 1);
  const options = { hardWeight: 0, softWeight: 1, temperature: 1 };
  const at = (progress: number) => permutedDistillation.loss({ ...input, progress }, options).loss.item();
  const steps = [0, 1, 2, 3].map((step) => at(step / 391_000));
  expect(new Set(steps).size).toBe(4);
  expect(at(2 / 391_000)).toBe(steps[2]);
});

it.each([
  [2, 8, [4]],
  [3, 9, [3, 6]],
  [3, 7, [2, 5]],
  [4, 2, [1]],
])(
  "snapshot-distillation of %d cycles in %d epochs takes its copies where the schedule begins anew",
  (cycles, epochs, expected) => {
    const options = {
      cycles,
      hardWeight: 0.5,
      softWeight: 0.5,
      teacherTemperature: 2,
      studentTemperature: 1,
    };
    const within = Array.from({ length: epochs - 1 }, (_, i) => i + 1);
    expect(within.filter((epoch) => snapshotDistillation.snapshot!(epoch, options, epochs))).toEqual(
      expected,
    );
    expect(within.filter((epoch) => snapshotDistillation.scheduleAt!(epoch, options, epochs) === 0)).toEqual(
      expected,
    );
  },
);

it.each([
  [
    "decoupled-distillation",
    { hardWeight: 0, targetWeight: 0, nonTargetWeight: 0, temperature: 1 },
    "nothing",
  ],
  ["correlation-distillation", { hardWeight: 0, interWeight: 0, intraWeight: 0, temperature: 1 }, "nothing"],
  ["logit-standardisation", { hardWeight: 0, softWeight: 0, temperature: 1 }, "nothing"],
  ["permuted-distillation", { hardWeight: 0, softWeight: 0, temperature: 1 }, "nothing"],
  ["top-k-distillation", { hardWeight: 1, softWeight: 1, temperature: 1, k: 11 }, "at most 10"],
  ["mean-of-teachers", { hardWeight: 1, softWeight: 1, temperature: 1, generations: [] }, "generation 0"],
  ["mean-of-teachers", { hardWeight: 1, softWeight: 1, temperature: 1, generations: [0, 0] }, "twice"],
])("%s refuses %j", (name, options, message) => {
  const method = (methods as readonly unknown[] as Method[]).find((one) => one.name === name)!;
  const problems = method.check!(options, { classes: 10 });
  expect(problems).toHaveLength(1);
  expect(problems[0]!.message).toContain(message);
});

it("a method of one's own must give back options", () => {
  const rest = { name: "mine", summary: "", formula: "", terms: {}, loss: strict.loss };
  for (const wrong of [undefined, null, 3, []]) {
    const mine = defineMethod({ ...rest, at: () => wrong as never });
    expect(() => optionsAt(mine, {}, { generation: 1, generations: 3 })).toThrow(
      new TypeError("mine must give back its options for generation 1"),
    );
  }
});

it("a name must be able to stand in a recipe and on a command line", () => {
  const rest = { summary: "", formula: "", terms: {}, loss: strict.loss };
  for (const name of ["", "Mine", "my method", "-x", "a--b", "é"]) {
    expect(() => defineMethod({ ...rest, name })).toThrow(TypeError);
  }
  expect(defineMethod({ ...rest, name: "my-method-2" }).kind).toBe("method");
});
