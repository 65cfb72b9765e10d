/** Tests that every loss must pass: PyTorch's numbers, finite differences, symmetries, masked classes, extreme logits. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { difference, evaluate, fixtures, type Input, otherSamples, samples } from "./fixtures/cases.js";

/** Half the distance from 1 to the next number. */
const roundoff = { float64: 2 ** -53, float32: 2 ** -24 };

/**
 * How far two computations of a loss may lie apart. A log-probability is a difference of logits, rounded at their size,
 * and each side puts fewer than 30 roundings on top of that: softmax, sums over up to 40 classes, weights, temperature.
 */
function allowance({ logits, teacher }: Input, dtype: "float32" | "float64", value: number): number {
  const sizes = [...logits, ...teacher].map(Math.abs).filter((size) => size < 1e29);
  // The fixture holds 13 digits of a float64 and 9 of a float32.
  const written = { float64: 1e-12, float32: 1e-8 }[dtype];
  return 2 * 30 * roundoff[dtype] * Math.max(1, Math.abs(value), ...sizes) + written * Math.abs(value);
}

describe.each(Object.keys(fixtures.inputs))("against PyTorch: %s", (name) => {
  const input = fixtures.inputs[name]!;
  const cases = fixtures.cases.filter((c) => c.input === name);
  it.each(cases)("$dtype $loss $options", ({ loss, options, dtype, value, gradient }) => {
    const ours = evaluate(loss, options, input, dtype);
    expect(Math.abs(ours.value - value)).toBeLessThanOrEqual(allowance(input, dtype, value));
    expect(ours.gradient).toHaveLength(gradient.length);
    expect(difference(ours.gradient, gradient)).toBeLessThanOrEqual(allowance(input, dtype, 1));
  });
});

describe.each([...samples, ...otherSamples])("%s %o, any loss", (name, options) => {
  const finite = ["small", "masked with minus infinity"].filter((input) =>
    Number.isFinite(evaluate(name, options, fixtures.inputs[input]!, "float64").value),
  );

  it.each(finite)("has the gradient that finite differences give: %s", (which) => {
    const input = fixtures.inputs[which]!;
    // The quotient's error is a sixth of step² times the third derivative, and the values' roundoff over the step: each
    // is below 1e-10 where values and derivatives are below 100.
    const step = 1e-5;
    const numeric = input.logits.map((logit, i) => {
      if (!Number.isFinite(logit)) return 0;
      const at = (d: number) => {
        const logits = input.logits.with(i, logit + d);
        return evaluate(name, options, { ...input, logits }, "float64").value;
      };
      return (at(step) - at(-step)) / (2 * step);
    });
    expect(difference(evaluate(name, options, input, "float64").gradient, numeric)).toBeLessThan(1e-8);
  });

  it("is finite, and its gradient too, at extreme logits in float32", () => {
    const extreme = fc.constantFrom(0, 1, -1, 1e4, -1e4, 9999, -1e30, 1e30);
    const rows = (n: number) => fc.array(extreme, { minLength: n, maxLength: n });
    fc.assert(
      fc.property(rows(12), rows(12), fc.array(fc.nat(3), { minLength: 3, maxLength: 3 }), (a, b, labels) => {
        const input = { shape: [3, 4] as [number, number], logits: a, teacher: b, labels };
        const { value, gradient } = evaluate(name, options, input, "float32");
        expect(Number.isFinite(value)).toBe(true);
        expect(gradient.every(Number.isFinite)).toBe(true);
      }),
    );
  });
});

describe.each(samples)("%s %o, symmetric", (name, options) => {
  const batch = fc.constantFrom([1, 3], [2, 4], [3, 7]).chain(([n, c]) => {
    // All different, because the top score difference has no single gradient where ranks are tied.
    const hundredths = fc.integer({ min: -2000, max: 2000 });
    const logits = fc
      .uniqueArray(hundredths, { minLength: n! * c!, maxLength: n! * c! })
      .map((values) => values.map((value) => value / 100));
    const labels = fc.array(fc.nat(c! - 1), { minLength: n!, maxLength: n! });
    return fc.record({
      shape: fc.constant<[number, number]>([n!, c!]),
      logits,
      labels,
      teacher: logits,
    });
  });

  it("is the loss of the other classes where some are masked with minus infinity", () => {
    fc.assert(
      fc.property(batch, fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }), (input, masked) => {
        const [n, c] = input.shape;
        // The first three classes stay, so that k has enough; labels are drawn from those that stay.
        const kept = Array.from({ length: c }, (_, i) => i).filter((i) => i < 3 || !masked[i]);
        const labels = input.labels.map((label) => label % kept.length);
        const choose = (values: number[]) =>
          Array.from({ length: n }, (_, row) => kept.map((i) => values[row * c + i]!)).flat();
        const hide = (values: number[]) =>
          values.map((value, i) => (kept.includes(i % c) ? value : Number.NEGATIVE_INFINITY));
        const { logits, teacher } = input;
        const fewer: Input = {
          shape: [n, kept.length],
          labels,
          logits: choose(logits),
          teacher: choose(teacher),
        };
        const hidden: Input = {
          shape: [n, c],
          labels: labels.map((label) => kept[label]!),
          logits: hide(logits),
          teacher: hide(teacher),
        };
        const expected = evaluate(name, options, fewer, "float64");
        const ours = evaluate(name, options, hidden, "float64");
        expect(choose(ours.gradient)).toHaveLength(expected.gradient.length);
        const smooth = ("labelSmoothing" in options || "epsilon" in options) && kept.length < c;
        if (smooth) expect(ours.value).toBe(Number.POSITIVE_INFINITY);
        else {
          const close = allowance(fewer, "float64", expected.value);
          expect(Math.abs(ours.value - expected.value)).toBeLessThanOrEqual(close);
          expect(difference(choose(ours.gradient), expected.gradient)).toBeLessThanOrEqual(close);
          expect(ours.gradient.filter((_, i) => !kept.includes(i % c)).every((value) => value === 0)).toBe(
            true,
          );
        }
        expect(ours.gradient.every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it("does not change when all of an image's logits shift", () => {
    fc.assert(
      fc.property(batch, fc.double({ min: -100, max: 100, noNaN: true }), (input, shift) => {
        const moved = { ...input, logits: input.logits.map((v) => v + shift) };
        const [a, b] = [input, moved].map((x) => evaluate(name, options, x, "float64"));
        const close = allowance(moved, "float64", a!.value);
        expect(Math.abs(a!.value - b!.value)).toBeLessThanOrEqual(close);
        for (let row = 0; row < input.shape[0]; row++) {
          const gradient = a!.gradient.slice(row * input.shape[1], (row + 1) * input.shape[1]);
          expect(Math.abs(gradient.reduce((sum, v) => sum + v, 0))).toBeLessThanOrEqual(close);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("follows a permutation of the classes and of the images", () => {
    const input = fixtures.inputs.small!;
    const [n, c] = input.shape;
    fc.assert(
      fc.property(order(n), order(c), (rows, columns) => {
        const permute = (x: number[]) => rows.flatMap((r) => columns.map((k) => x[r * c + k]!));
        const permuted = {
          shape: input.shape,
          logits: permute(input.logits),
          teacher: permute(input.teacher),
          labels: rows.map((r) => columns.indexOf(input.labels[r]!)),
        };
        const plain = evaluate(name, options, input, "float64");
        const ours = evaluate(name, options, permuted, "float64");
        const close = allowance(input, "float64", plain.value);
        expect(Math.abs(ours.value - plain.value)).toBeLessThanOrEqual(close);
        expect(difference(ours.gradient, permute(plain.gradient))).toBeLessThanOrEqual(close);
      }),
      { numRuns: 40 },
    );
  });
});

function order(n: number): fc.Arbitrary<number[]> {
  const all = Array.from({ length: n }, (_, i) => i);
  return fc.shuffledSubarray(all, { minLength: n, maxLength: n });
}
