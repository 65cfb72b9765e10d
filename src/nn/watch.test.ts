import { expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { BasicBlock } from "./basic-block.js";
import { BatchNorm2d } from "./batch-norm2d.js";
import { Conv2d } from "./conv2d.js";
import { foldBatchNorm } from "./fold-batch-norm.js";
import { Sequential } from "./sequential.js";
import { type Seen, watch } from "./watch.js";

const generator = new torch.Generator(1);
const convolution = () => new Conv2d(16, 16, 3, { padding: 1, bias: false, generator });

/** A convolution and two blocks, which are computed together where nobody watches. */
function network(): Sequential {
  const block = () =>
    new BasicBlock({
      ...{ conv1: convolution(), bn1: new BatchNorm2d(16), conv2: convolution(), bn2: new BatchNorm2d(16) },
    });
  return new Sequential(convolution(), block(), block()).eval().requiresGrad_(false);
}

const x = torch.randn([2, 16, 8, 8], { generator }).contiguous("channelsLast");
const near = (a: torch.Tensor, b: torch.Tensor) =>
  expect(a.sub(b).abs().max().item()).toBeLessThan(1e-5 * b.abs().max().item());

it.each(["", "0", "1", "2.bn1", "2.bn2", "2.conv2"])(
  "sees what %j takes and gives, and changes nothing",
  (path) => {
    const model = network();
    const before = model.forward(x);
    const module = model.namedModules().get(path)!;
    const seen: Seen[] = [];
    {
      using _ = watch(module, ({ input, output }) =>
        seen.push({ input: torch.keep(input.clone()), output: torch.keep(output.clone()) }),
      );
      near(model.forward(x), before);
    }
    expect(seen).toHaveLength(1);
    near(seen[0]!.output, module.forward(seen[0]!.input));
    expect(model.forward(x).equal(before)).toBe(true);
    expect(seen).toHaveLength(1);
    expect(Object.getOwnPropertyNames(module)).not.toContain("forward");
  },
);

it("sees a folded pair as the batch norm that it was, before the sum and the ReLU", () => {
  const model = network();
  const outputs = () => {
    const seen: torch.Tensor[] = [];
    using _ = watch(model.namedModules().get("1.bn2")!, ({ output }) =>
      seen.push(torch.keep(output.clone())),
    );
    model.forward(x);
    return seen[0]!;
  };
  const before = outputs();
  expect(before.min().item()).toBeLessThan(0);
  foldBatchNorm(model, { example: x });
  near(outputs(), before);
});

it("several may watch, and each ends by itself in turn", () => {
  const model = network();
  const seen: string[] = [];
  {
    using _ = watch(model, () => seen.push("outer"));
    {
      using _ = watch(model, () => seen.push("inner"));
      model.forward(x);
    }
    model.forward(x);
  }
  model.forward(x);
  expect(seen).toEqual(["outer", "inner", "outer"]);
});
