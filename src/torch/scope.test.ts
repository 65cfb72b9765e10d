import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "./index.js";
import { settled } from "./testing/settled.js";

const live = () => torch.memoryStats().tensors;

describe("scope", () => {
  it("frees what was made inside, and keeps the result", () => {
    const before = settled().tensors;
    const y = torch.scope(() => {
      const x = torch.ones([10]);
      return x.add(1).mul(2);
    });
    expect(live()).toBe(before + 1);
    expect(y.sum().item()).toBe(40);
    y.dispose();
  });

  it("keeps tensors in arrays, objects, maps and instances", () => {
    class Box {
      readonly inside = torch.zeros([1]);
    }
    const result = torch.scope(() => ({
      list: [torch.zeros([1])],
      map: new Map([["a", torch.zeros([1])]]),
      box: new Box(),
      gone: torch.zeros([1]).shape,
    }));
    for (const tensor of [result.list[0]!, result.map.get("a")!, result.box.inside]) {
      expect(tensor.disposed).toBe(false);
      tensor.dispose();
    }
  });

  it("hands a nested scope's result to the scope around it", () => {
    let inner: torch.Tensor | undefined;
    torch.scope(() => {
      inner = torch.scope(() => torch.zeros([1]));
      expect(inner.disposed).toBe(false);
    });
    expect(inner!.disposed).toBe(true);
  });

  it("frees when the body throws, and leaves the scope around it in charge", () => {
    const before = settled().tensors;
    expect(() =>
      torch.scope(() => {
        torch.zeros([1]);
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(live()).toBe(before);
  });

  it("lets a kept tensor outlive it", () => {
    let kept: torch.Tensor | undefined;
    torch.scope(() => {
      kept = torch.keep(torch.zeros([1]));
    });
    expect(kept!.disposed).toBe(false);
    kept!.dispose();
  });

  it("refuses an asynchronous body", () => {
    expect(() => torch.scope(async () => 1)).toThrow(/synchronous/);
  });

  it("leaves the tensors of any nesting of scopes as they should be", () => {
    type Tree = { children: Tree[]; result: boolean };
    const tree: (depth: number) => fc.Arbitrary<Tree> = fc.memo((depth) =>
      fc.record({
        children: depth <= 1 ? fc.constant([]) : fc.array(tree(depth - 1), { maxLength: 3 }),
        result: fc.boolean(),
      }),
    );
    const before = settled().tensors;
    fc.assert(
      fc.property(tree(5), (root) => {
        const run = (node: Tree): torch.Tensor | undefined =>
          torch.scope(() => {
            const own = torch.zeros([1]);
            for (const child of node.children) run(child);
            return node.result ? own : undefined;
          });
        const result = run(root);
        expect(live()).toBe(before + (root.result ? 1 : 0));
        result?.dispose();
      }),
    );
  });
});
