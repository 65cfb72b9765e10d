import { describe, expect, it } from "vitest";
import { defineMethod, strict } from "../methods/index.js";
import * as torch from "../torch/index.js";
import { trainGenerations } from "./index.js";
import { explainMemory, OutOfMemory } from "./out-of-memory.js";

const greedy = defineMethod({
  ...strict,
  name: "greedy",
  loss: (input, options) => {
    torch.empty([2 ** 40, 64]);
    return strict.loss(input, options);
  },
});

describe("a lack of memory", () => {
  it("is told with how much was wanted, and what needs less", async () => {
    const training = trainGenerations({
      data: { name: "synthetic", classes: 4, size: 8, channels: 1, trainCount: 32, testCount: 8 },
      ...{ model: "resnet8", patriarch: greedy, generations: 1, epochs: 1, batchSize: 16, threads: 1 },
    });
    await expect(training).rejects.toThrow(OutOfMemory);
    await expect(training).rejects.toThrow(
      /^there is not enough memory, for 262144\.0 GiB more: "accumulate: 2" computes each step's 16 images in 2 parts/,
    );
  });

  it("is told of a card and of small batches too; other errors stay as they are", () => {
    const cuda = new Error("CUDA out of memory. Tried to allocate 2.00 GiB");
    const told = explainMemory(cuda, { batchSize: 2, device: "cuda:1" }) as Error;
    expect(told.message).toMatch(/not enough memory on cuda:1: smaller images or a smaller network/);
    const other = new Error("something else");
    expect(explainMemory(other, { batchSize: 2, device: "cpu" })).toBe(other);
  });
});
