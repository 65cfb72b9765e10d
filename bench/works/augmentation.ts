/**
 * Measures loading: a batch of 128 images that is drawn, cropped, mirrored and normalised, beside the same in PyTorch's
 * operators on whole batches. What loading costs a training that runs is measured by `loading.ts`.
 */
import { data, torch } from "lyceum";
import type { Peer } from "../peer.js";
import { interleave, spread } from "../sampling.js";
import { type Row, row, type Work } from "../work.js";
import { measureLoading } from "./loading.js";

const batchSize = 128;
const count = 5000;

export const augmentation: Work = {
  name: "augmentation",
  async run({ peers, quick, onLoading }) {
    const set = data.makeSynthetic({
      classes: 100,
      size: 32,
      channels: 3,
      trainCount: count,
      testCount: 100,
    });
    const statistics = data.channelStatistics(set.train);
    const loader = new data.Loader(set.train, { ...statistics, batchSize, augment: { crop: 4, flip: true } });
    let epoch = 0;
    /** Nothing is trained meanwhile, so the time from one batch to the next is the cost of a batch. */
    const ours = async (): Promise<number[]> => {
      const start = performance.now();
      let batches = 0;
      for await (const batch of loader.epoch(epoch++)) {
        batch.dispose();
        batches++;
      }
      return [((performance.now() - start) * 1e6) / batches];
    };
    const theirs = (peer: Peer) => async () => {
      const { seconds } = await peer.ask<{ seconds: number }>({ do: "augmentation", count, batchSize });
      return [(seconds * 1e9) / Math.ceil(count / batchSize)];
    };
    const rounds = quick ? 3 : 15;
    const [mine, ...others] = (await interleave(rounds, [ours, ...peers.map(theirs)])).map(spread);
    loader.dispose();
    console.log(
      `augmentation: ${(mine!.median / 1e6).toFixed(2)} ms a batch on one thread in the background, ` +
        `with ${torch.getNumThreads()} threads for training`,
    );
    const loading = await measureLoading(quick);
    onLoading(loading);
    const milliseconds = (seconds: number) => (seconds * 1000).toFixed(2);
    console.log(
      `loading: a ResNet-20 student's step takes ${milliseconds(loading.step)} ms on the loader's batches and ` +
        `${milliseconds(loading.sameBatch)} ms on one batch, ${(100 * loading.share).toFixed(1)} % of it; ` +
        `${milliseconds(loading.waited)} ms were waiting for a batch`,
    );
    return peers.map(
      (peer, index): Row =>
        row(
          { work: "augmentation", model: `batch ${batchSize}, 32x32`, peer: peer.name, unit: "ns" },
          { ours: mine!, theirs: others[index]! },
        ),
    );
  },
};
