import fc from "fast-check";
import { expect, it } from "vitest";
import * as torch from "./index.js";

const filled = (size: number, value: number) => torch.full([size], value);
const expectFilled = (tensor: torch.Tensor, value: number) =>
  expect(tensor.eq(value).all().item(), `${tensor.numel} times ${value}`).toBe(1);

it("gives each small tensor memory of its own, in any order of making and freeing", () => {
  const step = fc.record({ size: fc.nat({ max: 1100 }), free: fc.boolean(), which: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 200 }), (steps) => {
      torch.scope(() => {
        const live: { tensor: torch.Tensor; value: number }[] = [];
        steps.forEach(({ size, free, which }, value) => {
          live.push({ tensor: filled(size, value), value });
          if (!free) return;
          const [dead] = live.splice(which % live.length, 1);
          expectFilled(dead!.tensor, dead!.value);
          dead!.tensor.dispose();
        });
        for (const { tensor, value } of live) expectFilled(tensor, value);
      });
    }),
    { numRuns: 50 },
  );
});

it("goes on elsewhere when all its memory is given out", () => {
  torch.scope(() => {
    // They take 80 MB, more than the lists of blocks hold.
    const many = Array.from({ length: 20_000 }, (_, i) => filled(1000, i));
    many.forEach(expectFilled);
  });
});
