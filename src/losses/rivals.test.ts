/** Tests of the losses of rivals in one generation: PyTorch's numbers, finite differences, masked classes, refusals. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { difference, fixtures, type Input } from "./fixtures/cases.js";
import { crossEntropy, distillation, pastLoss, snapshotLoss, studentLoss } from "./index.js";

interface Case {
  input: string;
  loss: "pastLoss" | "snapshotLoss";
  options: never;
  value: number;
  gradient: number[];
}

const cases: Case[] = JSON.parse(readFileSync(new URL("./fixtures/rivals.json", import.meta.url), "utf8"));
const losses = { pastLoss, snapshotLoss };

function evaluate({ loss, options }: Pick<Case, "loss" | "options">, input: Input) {
  const { shape, logits, labels, teacher } = input;
  return torch.scope(() => {
    const x = torch.tensor(logits, { dtype: "float64", shape, requiresGrad: true });
    const y = torch.tensor(labels, { dtype: "int64" });
    const found = losses[loss](x, y, torch.tensor(teacher, { dtype: "float64", shape }), options).loss;
    const [gradient] = torch.grad(found, [x]);
    return { value: found.item(), gradient: Array.from(gradient!.toTypedArray(), Number) };
  });
}

/** Fewer than 60 roundings on each side, at the size of the logits, and the 13 digits of the fixture. */
const allowance = ({ logits, teacher }: Input, value: number) =>
  120 *
    2 ** -53 *
    Math.max(1, Math.abs(value), ...[...logits, ...teacher].filter((v) => Math.abs(v) < 1e29).map(Math.abs)) +
  1e-12 * Math.abs(value);

describe("against PyTorch", () => {
  it.each(cases)("$loss $options: $input", ({ value, gradient, ...one }) => {
    const input = fixtures.inputs[one.input]!;
    const ours = evaluate(one, input);
    expect(Math.abs(ours.value - value)).toBeLessThanOrEqual(allowance(input, value));
    expect(ours.gradient).toHaveLength(gradient.length);
    expect(difference(ours.gradient, gradient)).toBeLessThanOrEqual(allowance(input, 1));
  });

  it.each(cases.filter(({ input }) => input === "small"))(
    "$loss $options has the gradient that finite differences give",
    (one) => {
      const input = fixtures.inputs.small!;
      const numeric = input.logits.map((logit, i) => {
        const at = (d: number) => evaluate(one, { ...input, logits: input.logits.with(i, logit + d) }).value;
        return (at(1e-5) - at(-1e-5)) / 2e-5;
      });
      // The error of the quotient is a sixth of step² times the third derivative, and the values' roundoff over the step.
      expect(difference(evaluate(one, input).gradient, numeric)).toBeLessThan(1e-8);
    },
  );
});

const generator = new torch.Generator(5);
const drawn = () => torch.keep(torch.randn([6, 4], { generator, dtype: "float64" }));
const [logits, past] = [drawn(), drawn()];
const labels = torch.keep(torch.tensor([0, 1, 2, 3, 0, 1], { dtype: "int64" }));
const close = (a: torch.Tensor, b: torch.Tensor) => expect(Math.abs(a.item() - b.item())).toBeLessThan(1e-14);

it("the past with the weight 0 is the cross-entropy, with 1 the divergence and the entropy of the past", () => {
  close(pastLoss(logits, labels, past, { pastWeight: 0 }).loss, crossEntropy(logits, labels));
  const entropy = past.softmax(1).mul(past.logSoftmax(1)).sum().div(-6);
  close(pastLoss(logits, labels, past, { pastWeight: 1 }).loss, distillation(logits, past).add(entropy));
});

it("equal temperatures are those of a student's loss", () => {
  const weights = { hardWeight: 0.3, softWeight: 0.9 };
  const both = { ...weights, teacherTemperature: 3, studentTemperature: 3 };
  const { loss, terms } = studentLoss(logits, labels, past, { ...weights, temperature: 3 });
  close(snapshotLoss(logits, labels, past, both).loss, loss);
  close(snapshotLoss(logits, labels, past, both).terms.soft, terms.soft);
});

it("no gradient flows into the past or the teacher, and classes that both mask add nothing", () => {
  const mask = torch.tensor([0, 0, Number.NEGATIVE_INFINITY, 0], { dtype: "float64" });
  const kept = torch.tensor([0, 1, 3], { dtype: "int64" });
  const y = torch.tensor([0, 1, 3, 3, 0, 1], { dtype: "int64" });
  const fewer = torch.tensor([0, 1, 2, 2, 0, 1], { dtype: "int64" });
  const temperatures = { teacherTemperature: 2, studentTemperature: 1.5 };
  for (const loss of [
    (x: torch.Tensor, y: torch.Tensor, t: torch.Tensor) => pastLoss(x, y, t, { pastWeight: 0.4 }).loss,
    (x: torch.Tensor, y: torch.Tensor, t: torch.Tensor) =>
      snapshotLoss(x, y, t, { hardWeight: 0.5, softWeight: 0.5, ...temperatures }).loss,
  ]) {
    const leaves = [logits, past].map((tensor) => tensor.detach().clone().requiresGrad_());
    const [x, t] = leaves;
    const value = loss(x!.add(mask), y, t!.add(mask));
    value.backward();
    expect(t!.grad).toBeUndefined();
    expect(x!.grad!.isfinite().all().item()).toBeTruthy();
    close(value, loss(logits.indexSelect(1, kept), fewer, past.indexSelect(1, kept)));
  }
});

it("refuses a weight, a temperature or shapes out of range", () => {
  for (const pastWeight of [-0.1, 1.1, Number.NaN])
    expect(() => pastLoss(logits, labels, past, { pastWeight })).toThrow("pastWeight must be in [0, 1]");
  expect(() => pastLoss(logits, labels, past.narrow(1, 0, 3), { pastWeight: 0 })).toThrow(TypeError);
  const usual = { hardWeight: 1, softWeight: 1, teacherTemperature: 1, studentTemperature: 1 };
  for (const change of [{ teacherTemperature: 0 }, { studentTemperature: Number.NaN }])
    expect(() => snapshotLoss(logits, labels, past, { ...usual, ...change })).toThrow(
      "temperature must be finite",
    );
  expect(() => snapshotLoss(logits, labels, past.narrow(0, 0, 3), usual)).toThrow("differ in shape");
});
