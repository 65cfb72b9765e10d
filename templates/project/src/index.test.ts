import assert from "node:assert/strict";
import { test } from "node:test";
import { torch, trainGenerations } from "lyceum";
import { gentleLabels, smallNet } from "./index.js";

test("the network gives a row of logits an image", () => {
  const network = smallNet.create({ classes: 7, channels: 3, generator: new torch.Generator(0) });
  const logits = network.forward(torch.zeros([2, 3, 16, 16]));
  assert.deepEqual([...logits.shape], [2, 7]);
});

test("a line of two is trained", async () => {
  const { generations } = await trainGenerations({
    data: { name: "synthetic", classes: 4, size: 12, trainCount: 64, testCount: 32 },
    model: smallNet,
    patriarch: { method: gentleLabels, share: 0.2 },
    generations: 2,
    epochs: 1,
    batchSize: 32,
  });
  assert.equal(generations.length, 2);
  assert.ok(generations.every(({ test }) => test.top1 >= 0 && test.top1 <= 1));
});
