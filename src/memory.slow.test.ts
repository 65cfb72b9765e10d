import { expect, it } from "vitest";
import { trainGenerations } from "./index.js";
import { settled } from "./torch/testing/settled.js";

it("holds memory flat over 30 epochs of a student's training", async () => {
  const resident: number[] = [];
  const tensors: number[] = [];
  await trainGenerations(
    {
      data: { name: "synthetic", classes: 10, size: 16, limit: { train: 512, test: 64 }, heldOut: 0.1 },
      model: "resnet8",
      generations: 2,
      epochs: 30,
      batchSize: 64,
      patriarch: "strict",
    },
    {
      onProgress: (event) => {
        if (event.type !== "epoch" || event.record.generation !== 1) return;
        // What V8 has not yet collected comes and goes by tens of megabytes, which would hide a slow leak.
        tensors.push(settled().tensors);
        resident.push(process.memoryUsage.rss());
      },
    },
  );
  expect(resident).toHaveLength(30);
  const [first, last] = [resident[0]!, resident.at(-1)!];
  console.log(
    `resident: first epoch ${(first / 2 ** 20).toFixed(1)} MiB, last ${(last / 2 ** 20).toFixed(1)} MiB`,
  );
  expect(new Set(tensors)).toEqual(new Set([tensors[0]]));
  // A leak of the gradients alone, 0.3 MiB in each of the 29 x 8 steps between, would make it 70 MiB.
  expect((last - first) / 2 ** 20).toBeLessThan(20);
});
