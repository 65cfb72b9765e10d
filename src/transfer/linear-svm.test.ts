/** Whatever it is given, lyceum::linear_svm fits finite weights, or says what is wrong. The solver itself is fuzzed (fuzz/svm.cpp). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";

const name = "lyceum::linear_svm";
const has = torch.hasOperator(name);

const odd = [Number.NaN, Infinity, -Infinity, 1e300, -1e200, 1e-300, 5e-324, 0, 1e38];
const value = fc.oneof(
  { weight: 200, arbitrary: fc.double({ min: -4, max: 4, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(...odd) },
);
const setting = (...usual: number[]) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.constantFrom(...odd, -1) },
  );
const shape = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 1, max: 4 })) },
  { weight: 1, arbitrary: fc.array(fc.nat(3), { maxLength: 4 }) },
);
const floats = ["float64", "float32", "float16", "bfloat16"] as const;
const dtype = fc.constantFrom(...floats, ...floats, ...floats, ...floats, "int64" as const, "bool" as const);

const given = fc.record({
  shape,
  values: fc.array(value, { minLength: 1, maxLength: 32 }),
  dtype,
  labels: fc.oneof(
    { weight: 6, arbitrary: fc.constant([0, 1, 2]) },
    { weight: 1, arbitrary: fc.array(fc.integer({ min: -1, max: 4 }), { minLength: 1, maxLength: 5 }) },
  ),
  labelsDtype: fc.constantFrom("int64", "int64", "int64", "int32", "float32") as fc.Arbitrary<"int64">,
  classes: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(2, 3) },
    { weight: 1, arbitrary: fc.constantFrom(-1, 0, 1, 9, 2 ** 40) },
  ),
  c: setting(1e-4, 1, 1e4),
  bias: setting(0, 1),
  epsilon: setting(1e-4, 0.1),
  initial: fc.option(fc.tuple(fc.boolean(), value), { freq: 2, nil: undefined }),
});

describe.skipIf(!has)("the linear support vector machine", () => {
  it("fits finite weights or is refused in words, whatever it is given", () => {
    const seen = { fitted: 0, refused: 0 };
    fc.assert(
      fc.property(
        given,
        ({ shape, values, dtype, labels, labelsDtype, classes, c, bias, epsilon, initial }) => {
          torch.scope(() => {
            const size = shape.reduce((product, each) => product * each, 1);
            const all = Float64Array.from({ length: size }, (_, i) => values[i % values.length]!);
            const features = torch.tensor(all).reshape(shape).to({ dtype });
            const ids = Float64Array.from({ length: shape[0] ?? 1 }, (_, i) => labels[i % labels.length]!);
            const known = torch.tensor(ids).to({ dtype: labelsDtype });
            const width = (shape[1] ?? 1) + (bias > 0 ? 1 : 0);
            const begin =
              initial && torch.full([2 + Number(initial[0]), width], initial[1], { dtype: "float64" });
            let weights: torch.Tensor;
            try {
              weights = torch.op(name, features, known, classes, c, bias, epsilon, begin) as torch.Tensor;
            } catch (error) {
              expect((error as Error).message).toMatch(/lyceum::linear_svm: .{10}/s);
              seen.refused++;
              return;
            }
            expect(weights.shape).toEqual([classes, width]);
            expect(weights.isfinite().all().item()).toBe(1);
            seen.fitted++;
          });
        },
      ),
      { numRuns: 300, seed: 20260801 },
    );
    expect(seen.fitted).toBeGreaterThan(30);
    expect(seen.refused).toBeGreaterThan(30);
  });

  const svm = (x: number, c: number, bias = 1, initial?: torch.Tensor) =>
    torch.op(
      name,
      torch.tensor(Float64Array.of(x, -x, 2 * x, -3 * x)).reshape([4, 1]),
      torch.tensor(BigInt64Array.of(0n, 1n, 0n, 1n)),
      ...[2, c, bias, 1e-4, initial],
    ) as torch.Tensor;

  it.each([
    // Squares of these are infinite: liblinear ended where it began, with weights of 0.
    ["features of 1e200", () => svm(1e200, 1), /largest feature, 3e\+200, is too large for C = 1/],
    ["features of 1e30 for a C of 1e20", () => svm(1e30, 1e20), /is too large for C = 1e\+20; scale/],
    // With this C it never ended.
    ["a C of 5.9e306", () => svm(1, 5.9e306), /C must be above 0, from 1e-30 to 1e30, got 5\.9e\+306/],
    ["a C of 1e-300", () => svm(1, 1e-300), /C must be above 0, from 1e-30/],
    ["a bias of 1e-200", () => svm(1, 1, 1e-200), /bias must be 0 or more, from 1e-30/],
    ["a start of 1e30", () => svm(1, 1, 0, torch.full([2, 1], 1e30)), /initial must be within 1e20/],
  ])("refuses %s, with which liblinear does not come to an end that is one", (_, act, message) => {
    expect(act).toThrow(message);
  });

  it("fits at the limits of what it takes", () => {
    for (const [x, c] of [[1e20, 1], [1, 1e30], [1e-40, 1], [1e-200, 1]] as const) // biome-ignore format: a table
      expect(svm(x, c).isfinite().all().item(), `${x} ${c}`).toBe(1);
    // The margin is 1 where C leaves no choice.
    expect(svm(1, 1e6).tolist()).toEqual([
      [expect.closeTo(1, 4), expect.closeTo(0, 4)],
      [expect.closeTo(-1, 4), expect.closeTo(0, 4)],
    ]);
  });
});
