import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "./index.js";
import { collect, settled } from "./testing/settled.js";

const live = () => torch.memoryStats().tensors;
/** Makes tensors that nobody keeps: enough for a sweep over all others. */
const makeMany = (count: number) => {
  for (let i = 0; i < count; i++) torch.zeros([1]);
};

describe("tensors outside any scope", () => {
  it("are freed by those made after them, without a turn of the event loop", () => {
    const before = settled().tensors;
    makeMany(10_000);
    collect();
    makeMany(10_000);
    collect();
    makeMany(1000);
    expect(live()).toBeLessThan(before + 10_000);
  });

  it("are freed some time after a collection when no others are made", async () => {
    const before = settled().tensors;
    makeMany(1000);
    for (let i = 0; i < 50 && live() >= before + 900; i++) {
      collect();
      await turn();
    }
    expect(live()).toBeLessThan(before + 900);
  });

  it("are freed though others made beside them live on", () => {
    const before = settled().tensors;
    const numbered = Array.from({ length: 5000 }, (_, i) => i);
    const kept = numbered.map((i) => torch.full([1], i)).filter((_, i) => i % 16 === 3);
    expect(settled().tensors).toBe(before + kept.length);
    expect(kept.map((tensor) => tensor.item())).toEqual(kept.map((_, i) => 16 * i + 3));
    for (const tensor of kept) tensor.dispose();
  });

  it("wait for others to die with them only if little hangs on them", () => {
    const waits = (tensor: torch.Tensor) => tensor.handle % 2 === 0;
    const large = torch.zeros([1025]);
    expect(waits(torch.zeros([1024]).relu())).toBe(true);
    expect(waits(large)).toBe(false);
    expect(waits(large.narrow(0, 0, 1))).toBe(false);
    expect(waits(torch.ones([4]).requiresGrad_().sum())).toBe(false);
  });

  it("are few that are dead and not yet freed, if they are large", () => {
    const before = settled().tensors;
    let most = 0;
    for (let i = 0; i < 1000; i++) {
      torch.zeros([2 ** 18]);
      most = Math.max(most, live() - before);
    }
    expect(most).toBeLessThan(500);
  });

  it("stay what they are, whatever is made, disposed of, taken over and collected around them", () => {
    const step = fc.record({
      what: fc.constantFrom("make", "make", "make", "drop", "dispose", "take", "scope", "minor", "full"),
      which: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const known = new Map<number, torch.Tensor>();
        let made = 0;
        // Every third tensor is a large one.
        const next = () => torch.full([made % 3 === 0 ? 2000 : 1], made);
        const firstOf = (tensor: torch.Tensor) => tensor.narrow(0, 0, 1).item();
        const add = () => known.set(made, next()) && made++;
        for (const { what, which } of steps) {
          const chosen = [...known.keys()][which % Math.max(1, known.size)];
          const tensor = chosen === undefined ? undefined : known.get(chosen);
          if (what === "make") for (let i = 0; i < 8; i++) add();
          else if (what === "scope") torch.scope(() => known.set(made, torch.keep(next())) && made++);
          else if (what === "minor") collect({ type: "minor" });
          else if (what === "full") collect();
          else if (chosen === undefined || !tensor) continue;
          else if (what === "take") known.set(chosen, new torch.Tensor(torch.takeHandle(tensor)));
          else {
            if (what === "dispose") {
              tensor.dispose();
              tensor.dispose();
              expect(() => firstOf(tensor)).toThrow("disposed");
            }
            known.delete(chosen);
          }
        }
        makeMany(100);
        for (const [value, tensor] of known) expect(firstOf(tensor)).toBe(value);
      }),
      { numRuns: 200 },
    );
  });

  it("live until the call is over when only a list's getter knows them", () => {
    const lazy = (offset: number) =>
      Array.from({ length: 40 }, (_, i) => i).reduce<torch.Tensor[]>((list, i) => {
        const get = () => {
          const tensor = torch.full([1], offset + i);
          collect();
          return tensor;
        };
        return Object.defineProperty(list, i, { get, enumerable: true });
      }, []);
    const expected = Array.from({ length: 40 }, (_, i) => i);
    settled();
    expect(torch.cat(lazy(0)).tolist()).toEqual(expected);
    const sums = torch.op("aten::_foreach_add.List", lazy(0), lazy(100)) as torch.Tensor[];
    expect(sums.map((sum) => sum.item())).toEqual(expected.map((i) => 2 * i + 100));
  });

  it("live while a list of numbers that comes after them is read", () => {
    const sizes = Object.defineProperty([0], 0, {
      get() {
        makeMany(100);
        collect({ type: "minor" });
        makeMany(100);
        return 2;
      },
    });
    expect(torch.full([1], 3).expand(sizes).tolist()).toEqual([3, 3]);
  });
});
