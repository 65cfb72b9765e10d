import { describe, expect, it } from "vitest";
import { channelStatistics, Loader, makeSynthetic } from "../data/index.js";
import { crossEntropy } from "../losses/index.js";
import { defineMethod } from "../methods/index.js";
import { resnet8 } from "../models/index.js";
import { SGD } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import { objectiveOf, Snapshot, trainNetwork } from "./index.js";

const { train } = makeSynthetic({ classes: 4, size: 12, trainCount: 32, testCount: 8, seed: 1 });
const fresh = (seed = 1) =>
  resnet8.create({ classes: 4, channels: 3, generator: new torch.Generator(seed) }).to({
    memoryFormat: "channelsLast",
  });
const snapshotAt = (...epochs: number[]) =>
  new Snapshot({ make: () => fresh(0), isDue: (done) => epochs.includes(done) });
const copyOf = (state: Record<string, torch.Tensor>) =>
  Object.fromEntries(Object.entries(state).map(([name, tensor]) => [name, torch.keep(tensor.clone())]));

describe("Snapshot", () => {
  it("answers as the network did at the end of the epoch at which it was taken", async () => {
    const images = torch.keep(torch.randn([4, 3, 12, 12], { generator: new torch.Generator(2) }));
    const answers: (torch.Tensor | undefined)[] = [];
    const epochs: [number, number][] = [];
    const watching = defineMethod({
      name: "watching",
      summary: "",
      formula: "",
      terms: {},
      loss: ({ logits, labels, snapshot: given, epoch, epochs: all }) => {
        expect(given === undefined).toBe(snapshot.network === undefined);
        expect(given?.requiresGrad ?? false).toBe(false);
        epochs.push([epoch, all]);
        return { loss: crossEntropy(logits, labels), terms: {} };
      },
    });
    using snapshot = snapshotAt(1, 3, 4);
    const model = fresh();
    const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
    const objective = objectiveOf(watching, {}, { snapshot });
    const states: Record<string, torch.Tensor>[] = [];
    const options = { ...channelStatistics(train), batchSize: 16, shuffle: true };
    const answer = (network: { forward(x: torch.Tensor): torch.Tensor }) =>
      torch.noGrad(() => torch.keep(torch.scope(() => network.forward(images))));
    await trainNetwork(
      { model, optimizer, objective, snapshot },
      {
        loader: new Loader(train, options),
        epochs: 4,
        schedule: () => 0.1,
        observers: [
          {
            onEpoch: () => {
              states.push(copyOf(model.stateDict()));
              answers.push(snapshot.network && answer(snapshot.network));
            },
          },
        ],
      },
    );
    const then = states.map((state) => {
      const network = fresh(0);
      network.loadStateDict(state);
      return answer(network.eval());
    });
    // The copy of the first epoch stays until that of the third replaces it; after the last epoch none is taken.
    for (const [after, taken] of [0, 0, 2, 2].entries())
      expect(answers[after]!.allclose(then[taken]!, 1e-3, 1e-4), `after epoch ${after + 1}`).toBe(true);
    expect(answers[2]!.allclose(then[0]!, 1e-3, 1e-4)).toBe(false);
    expect(epochs.map(([epoch]) => epoch)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
    expect(new Set(epochs.map(([, all]) => all))).toEqual(new Set([4]));
    expect(objective.dependsOnProgress).toBe(true);
  });

  it("goes on from a saved state to the bit, or with none", () => {
    torch.scope(() => {
      const images = torch.randn([4, 3, 12, 12], { generator: new torch.Generator(2) });
      const model = fresh();
      using snapshot = snapshotAt(1);
      using other = snapshotAt(1);
      snapshot.afterEpoch(model, 2);
      expect(snapshot.network).toBeUndefined();
      expect(snapshot.stateDict()).toEqual({});
      snapshot.afterEpoch(model, 1);
      other.loadStateDict(snapshot.stateDict());
      const [a, b] = [snapshot, other].map(({ network }) => torch.noGrad(() => network!.forward(images)));
      expect(a!.equal(b!)).toBe(true);
      const { "fc.bias": _, ...fewer } = snapshot.stateDict();
      expect(() => other.loadStateDict(fewer)).toThrow("fc.bias");
      expect(other.network).toBeDefined();
      other.loadStateDict({});
      expect(other.network).toBeUndefined();
    });
  });

  it("frees the copy that it replaces", () => {
    const model = fresh();
    const before = settled();
    const snapshot = snapshotAt(1, 2, 3);
    snapshot.afterEpoch(model, 1);
    const { tensors } = settled();
    snapshot.afterEpoch(model, 2);
    snapshot.afterEpoch(model, 3);
    expect(settled().tensors).toBe(tensors);
    snapshot.dispose();
    expect(settled()).toEqual(before);
  });
});
