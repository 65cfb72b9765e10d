/** What holds for every loss: PyTorch's numbers, finite differences, symmetries, extreme logits. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { difference, evaluate, fixtures, samples } from "./fixtures/cases.js";

const TOLERANCE = { float64: 1e-11, float32: 2e-6 };

describe.each(Object.keys(fixtures.inputs))("against PyTorch: %s", (name) => {
  const input = fixtures.inputs[name]!;
  const cases = fixtures.cases.filter((c) => c.input === name);
  it.each(cases)("$dtype $loss $options", ({ loss, options, dtype, value, gradient }) => {
    const ours = evaluate(loss, options, input, dtype);
    expect(Math.abs(ours.value - value)).toBeLessThanOrEqual(TOLERANCE[dtype] * Math.max(1, Math.abs(value)));
    expect(ours.gradient).toHaveLength(gradient.length);
    expect(difference(ours.gradient, gradient)).toBeLessThan(TOLERANCE[dtype]);
  });
});

describe.each(samples)("%s %o", (name, options) => {
  const batch = fc.constantFrom([1, 3], [2, 4], [3, 7]).chain(([n, c]) => {
    const logits = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), {
      minLength: n! * c!,
      maxLength: n! * c!,
    });
    const labels = fc.array(fc.nat(c! - 1), { minLength: n!, maxLength: n! });
    return fc.record({
      shape: fc.constant<[number, number]>([n!, c!]),
      logits,
      labels,
      teacher: logits,
    });
  });

  it("has the gradient that finite differences give", () => {
    const input = fixtures.inputs.small!;
    const step = 1e-5;
    const numeric = input.logits.map((_, i) => {
      const at = (d: number) => {
        const logits = input.logits.with(i, input.logits[i]! + d);
        return evaluate(name, options, { ...input, logits }, "float64").value;
      };
      return (at(step) - at(-step)) / (2 * step);
    });
    expect(difference(evaluate(name, options, input, "float64").gradient, numeric)).toBeLessThan(1e-9);
  });

  it("does not change when all of an image's logits shift", () => {
    fc.assert(
      fc.property(batch, fc.double({ min: -100, max: 100, noNaN: true }), (input, shift) => {
        const moved = { ...input, logits: input.logits.map((v) => v + shift) };
        const [a, b] = [input, moved].map((x) => evaluate(name, options, x, "float64"));
        expect(Math.abs(a!.value - b!.value)).toBeLessThan(1e-10 * Math.max(1, Math.abs(a!.value)));
        for (let row = 0; row < input.shape[0]; row++) {
          const gradient = a!.gradient.slice(row * input.shape[1], (row + 1) * input.shape[1]);
          expect(Math.abs(gradient.reduce((sum, v) => sum + v, 0))).toBeLessThan(1e-12 * 10);
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
        expect(ours.value).toBeCloseTo(plain.value, 12);
        expect(difference(ours.gradient, permute(plain.gradient))).toBeLessThan(1e-13);
      }),
      { numRuns: 40 },
    );
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

function order(n: number): fc.Arbitrary<number[]> {
  const all = Array.from({ length: n }, (_, i) => i);
  return fc.shuffledSubarray(all, { minLength: n, maxLength: n });
}
