import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Parameter } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import { unscale, unscaleByParts, updateScale, updateScaleByParts } from "./amp.js";
import { GradScaler } from "./grad-scaler.js";
import { hasFusedUpdate } from "./sgd/fused-update.js";
import { SGD } from "./sgd.js";

/** The scale after each step, in plain numbers, as torch.amp's documentation defines it. */
function reference(scale: number, infinities: readonly boolean[], growthInterval: number): number[] {
  let count = 0;
  return infinities.map((infinite) => {
    if (infinite) [scale, count] = [scale / 2, 0];
    else if (++count === growthInterval) [scale, count] = [Math.fround(scale * 2), 0];
    return scale;
  });
}

function stateOf(scaler: GradScaler): number[] {
  return Object.values(scaler.stateDict()).map((tensor) => tensor.item());
}

function started(options: { fused?: boolean } = {}) {
  const parameters = [new Parameter(torch.tensor([1, 2])), new Parameter(torch.tensor([3]))];
  const optimizer = new SGD(parameters, { learningRate: 0.5, momentum: 0.5, ...options });
  return { parameters, optimizer };
}

const kinds = [false, ...(hasFusedUpdate() ? [true] : [])];

describe.each(kinds)("GradScaler, fused SGD: %s", (fused) => {
  it("raises and lowers the scale as torch.amp does", () => {
    const infinities = fc.array(fc.boolean(), { maxLength: 12 });
    fc.assert(
      fc.property(infinities, fc.integer({ min: 1, max: 4 }), (infinite, growthInterval) => {
        const { parameters, optimizer } = started({ fused });
        const scaler = new GradScaler({ initialScale: 8, growthInterval });
        const scales = infinite.map((is) => {
          for (const p of parameters) p.grad = torch.onesLike(p);
          if (is) parameters[1]!.grad = torch.fullLike(parameters[1]!, Number.POSITIVE_INFINITY);
          scaler.step(optimizer);
          return stateOf(scaler)[0]!;
        });
        expect(scales).toEqual(reference(8, infinite, growthInterval));
        for (const part of [scaler, optimizer, ...parameters]) part.dispose();
      }),
    );
  });

  it.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])(
    "leaves a step with a gradient of %d out, the velocities too",
    (bad) => {
      const { parameters, optimizer } = started({ fused });
      const scaler = new GradScaler({ initialScale: 4 });
      const give = (value: number) => {
        parameters[0]!.grad = torch.tensor([4, value]);
        parameters[1]!.grad = torch.tensor([8]);
      };
      give(4);
      scaler.step(optimizer);
      const values = () => [...parameters, ...Object.values(optimizer.stateDict())].map((t) => t.tolist());
      const before = values();
      expect(before).toEqual([[0.5, 1.5], [2], [1, 1], [2]]);
      give(bad);
      scaler.step(optimizer);
      expect(values()).toEqual(before);
      expect(stateOf(scaler)).toEqual([2, 0]);
      give(2);
      scaler.step(optimizer);
      // The scale is 2 now, which makes gradients of 2, 1 and 4 out of 4, 2 and 8.
      expect(values()).toEqual([[-0.75, 0.75], [-0.5], [2.5, 1.5], [5]]);
    },
  );

  it("goes on from a saved state, and holds no memory from step to step", () => {
    const { parameters, optimizer } = started({ fused });
    const scaler = new GradScaler({ initialScale: 4, growthInterval: 3 });
    const step = () => {
      torch.scope(() => {
        optimizer.zeroGrad();
        const sum = parameters.map((p) => p.sum()).reduce((a, b) => a.add(b));
        scaler.scale(sum).backward();
      });
      scaler.step(optimizer);
    };
    step();
    step();
    expect(stateOf(scaler)).toEqual([4, 2]);
    const other = new GradScaler();
    other.loadStateDict(scaler.stateDict());
    expect(stateOf(other)).toEqual([4, 2]);
    const { tensors } = settled();
    for (let i = 0; i < 10; i++) step();
    expect(torch.memoryStats().tensors).toBe(tensors);
    expect(stateOf(scaler)).toEqual([64, 0]);
    expect(() => other.loadStateDict({ scale: torch.ones([1]) })).toThrow("growth_tracker of shape [1]");
    expect(stateOf(other)).toEqual([4, 2]);
  });
});

describe("the operators of torch.amp, where this libtorch has them,", () => {
  const inf = Number.POSITIVE_INFINITY;
  it.each([[[1, 2, 3]], [[1, inf, 3]], [[Number.NaN, 0, 0]]])("agree with plain ones on %j", (values) => {
    const run = (with_: typeof unscale) => {
      const gradients = [torch.tensor(values), torch.tensor([[1], [-5]])];
      const foundInf = torch.zeros([1]);
      with_(gradients, foundInf, torch.tensor([0.25]));
      return [foundInf.item(), gradients[1]!.tolist()];
    };
    expect(run(unscaleByParts)).toEqual(run(unscale));
    expect(run(unscale)).toEqual([values.every(Number.isFinite) ? 0 : 1, [[0.25], [-1.25]]]);
  });

  it.each([
    [8, 0, 0],
    [8, 1, 0],
    [8, 1, 1],
    [3e38, 1, 0],
  ])("agree on a scale of %d after %i steps, infinite: %i", (scale, count, infinite) => {
    const run = (with_: typeof updateScale) => {
      const [a, b] = [torch.tensor([scale]), torch.tensor([count], { dtype: "int32" })];
      const rule = { growthFactor: 2, backoffFactor: 0.5, growthInterval: 2 };
      with_(a, b, torch.tensor([infinite]), rule);
      return [a.item(), b.item()];
    };
    expect(run(updateScaleByParts)).toEqual(run(updateScale));
    const [fits, due] = [Number.isFinite(Math.fround(2 * scale)), count === 1 && !infinite];
    const expected = infinite ? scale / 2 : due && fits ? 2 * scale : scale;
    expect(run(updateScale)).toEqual([Math.fround(expected), infinite || due ? 0 : count + 1]);
  });
});

it.each([{ initialScale: 0 }, { growthFactor: 1 }, { backoffFactor: 1 }, { growthInterval: 1.5 }])(
  "GradScaler refuses %j",
  (options) => {
    expect(() => new GradScaler(options)).toThrow(RangeError);
  },
);
