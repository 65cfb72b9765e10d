import { describe, expect, it } from "vitest";
import * as torch from "../../torch/index.js";

const generator = new torch.Generator(1);
const draw = (...shape: number[]) => torch.randn(shape, { generator });
const images = draw(14, 16, 8, 8).contiguous("channelsLast");
// In blocks of sixteen channels, [N, C / 16, H, W, 16], on every processor.
const x = images.view([14, 1, 16, 8, 8]).permute([0, 1, 3, 4, 2]).contiguous();
const bias = torch.zeros([16]);
const other = draw(16, 16, 3, 3);
const pair = [1, 1] as const;
const norm = [torch.ones([16]), torch.zeros([16]), torch.zeros([16]), torch.ones([16])];
const narrow = draw(16, 16, 1, 1);
const isFused = torch.hasOperator("lyceum::frozen_dense_block") && torch.op("lyceum::isa") !== "none";

/** What frozen networks compute with weights [16, 16, 3, 3], which the kernels prepare once and keep. */
const answers: Record<string, (w: torch.Tensor) => torch.Tensor> = {
  "in blocks": (w) => torch.op("lyceum::conv2d_relu", x, w, bias, pair, pair, true),
  "by the definition": (w) => torch.op("lyceum::conv2d_relu", x, w, bias, pair, pair, false),
  "in channels-last, of stride 2": (w) =>
    torch.op("lyceum::conv2d_relu", images, w, bias, [2, 2], pair, false),
  "of a basic block": (w) => torch.op("lyceum::frozen_blocks", x, [w, other], [bias, bias], true),
  "of a stage's first layer": (w) =>
    torch.op(
      "lyceum::frozen_stage",
      images.slice(1, 0, 3),
      w.slice(1, 0, 3),
      bias,
      [other, other],
      [bias, bias],
      true,
    ),
  ...(isFused && {
    "of a dense block": (w: torch.Tensor) =>
      torch.op("lyceum::frozen_dense_block", images, norm, [narrow, w], [bias], [], 1e-5),
  }),
};

const op = (name: string, ...args: unknown[]) => torch.op(name as "aten::data", ...(args as [torch.Tensor]));

/** Ways to write to the memory of a weight; each returns what it holds on to. */
const writes: Record<string, (w: torch.Tensor) => unknown> = {
  "in place": (w) => w.mul_(1.5),
  "by a view": (w) => w.view([-1]).mul_(1.5),
  "by detach": (w) => w.detach().mul_(1.5),
  "by data": (w) => op("aten::data", w).mul_(1.5),
  "by a view of data's view": (w) => op("aten::data", w.select(0, 3)).view([-1]).mul_(1.5),
  "by data of data": (w) => op("aten::data", op("aten::data", w)).mul_(1.5),
  "by an unsafe view": (w) => op("aten::_unsafe_view", w, [16, 144]).mul_(1.5),
  "by an unsafe chunk": (w) => (op("aten::unsafe_chunk", w, 2) as unknown as torch.Tensor[])[1]!.mul_(1.5),
  "by an unsafe split": (w) =>
    (op("aten::unsafe_split.Tensor", w, 4) as unknown as torch.Tensor[])[2]!.mul_(1.5),
  "by unsafe splits of given sizes": (w) =>
    (op("aten::unsafe_split_with_sizes", w, [6, 10]) as unknown as torch.Tensor[])[0]!.mul_(1.5),
  "by other strides": (w) => op("aten::as_strided", w, [100], [1]).mul_(1.5),
  "by several at a time": (w) => op("aten::_foreach_mul_.Scalar", [w], 1.5),
  "in inference mode": (w) => torch.inferenceMode(() => w.mul_(1.5)),
  "by data in inference mode": (w) => torch.inferenceMode(() => op("aten::data", w).mul_(1.5)),
  "by an unsafe view in inference mode": (w) =>
    torch.inferenceMode(() => op("aten::_unsafe_view", w, [16, 144]).mul_(1.5)),
  "by data of inference mode, outside": (w) => torch.inferenceMode(() => op("aten::data", w)).mul_(1.5),
  "by a tensor that was set to it": (w) => {
    const y = torch.zeros([1]);
    const view = y.view([1]);
    op("aten::set_.source_Tensor", y, w);
    y.mul_(1.5);
    return view;
  },
  "by a tensor whose data was set to it": (w) => {
    const y = torch.zeros([16, 16, 3, 3]);
    const view = y.detach();
    op("aten::set_data", y, w);
    y.mul_(1.5);
    return view;
  },
  "by what it was set to": (w) => {
    const y = draw(16, 16, 3, 3);
    op("aten::set_.source_Tensor", w, y);
    expect(answers["in blocks"]!(w).sum().item()).not.toBe(0);
    y.mul_(1.5);
  },
  "by what its data was set to": (w) => {
    const y = draw(16, 16, 3, 3);
    op("aten::set_data", w, y);
    expect(answers["in blocks"]!(w).sum().item()).not.toBe(0);
    y.mul_(1.5);
  },
  "by a view in another order that its data was set to": (w) => op("aten::set_data", w, w.transpose(0, 1)),
  "anew, in memory that is freed and taken again": (w) => {
    // Each of these may lie where the one before the last did, with as many writes to it.
    for (let i = 0; i < 4; i++) {
      op("aten::set_data", w, draw(16, 16, 3, 3));
      for (const answer of Object.values(answers)) answer(w).dispose();
      op("aten::set_data", w, draw(16, 16, 3, 3));
      op("aten::set_data", w, draw(16, 16, 3, 3));
    }
  },
  "by a step of SGD": (w) => op("lyceum::sgd_", [w], [draw(16, 16, 3, 3)], [], 0.1, 0, 0, false),
  "by a step of SGD in inference mode": (w) =>
    torch.inferenceMode(() => op("lyceum::sgd_", [w], [draw(16, 16, 3, 3)], [], 0.1, 0, 0, false)),
  "as an activation": (w) => {
    const activation = w.view([1, 1, 9, 16, 16]);
    op("lyceum::frozen_blocks_", activation, [other, other], [bias, bias], true);
  },
  "as an activation in inference mode": (w) => {
    const activation = w.view([1, 1, 9, 16, 16]);
    torch.inferenceMode(() => {
      op("lyceum::frozen_blocks_", activation, [other, other], [bias, bias], true);
      op("lyceum::add_conv2d_", activation, draw(1, 1, 9, 16, 16), other, bias, pair, pair, true, true);
    });
  },
  "as running averages in inference mode": (w) => {
    const averages = w.select(0, 0).select(1, 0).select(1, 0).view([-1]);
    const copy = w.view([-1]).slice(0, 0, 16);
    torch.inferenceMode(() =>
      op("lyceum::batch_norm", images, bias, bias, copy, torch.ones([16]), undefined, false, true, 0.9, 1e-5),
    );
    return averages;
  },
};

function check(w: torch.Tensor, write: (w: torch.Tensor) => unknown): void {
  for (const [name, answer] of Object.entries(answers)) {
    const before = torch.noGrad(() => answer(w));
    torch.noGrad(() => write(w));
    const after = torch.noGrad(() => answer(w));
    // The same kernel with weights that it has never seen.
    const expected = torch.noGrad(() => answer(w.clone()));
    expect([name, after.sub(expected).abs().max().item()]).toEqual([name, 0]);
    expect([name, after.sub(before).abs().max().item()]).not.toEqual([name, 0]);
  }
}

describe("A frozen network computes with its weights as they are", () => {
  it.each(Object.entries(writes))("when they are written %s", (_, write) => {
    check(draw(16, 16, 3, 3), write);
  });

  it("when a tensor is made in the background", async () => {
    const w = draw(16, 16, 3, 3);
    const alias = (await torch.opAsync("aten::data", w)) as torch.Tensor;
    check(w, () => alias.mul_(1.5));
  });

  it("when they are written by JavaScript", () => {
    const shared = new Float32Array(new SharedArrayBuffer(4 * 16 * 16 * 9));
    shared.set(shared.map((_, i) => Math.sin(i)));
    const w = torch.fromBuffer(shared, [16, 16, 3, 3]);
    check(w, () => shared.set(shared.map((value) => 1.5 * value)));
  });
});
