/** What the model of a step says of steps that were measured here, and of ResNet-50 on clusters. */
import type { Measured, Results, Side } from "./main.js";
import { busyShareOf, efficiency, type Link, type RankWork, stepSeconds } from "./step-model.js";

/** A step that was measured, beside what the model says of it; both in seconds. */
export interface Checked {
  model: string;
  ranks: number;
  measured: number;
  predicted: number;
  /** Whether the model's one free number was taken from this very step. */
  fitted: boolean;
}

/** The efficiency of ResNet-50's training that the model says. */
export interface Predicted {
  nodes: number;
  gigabitsPerSecond: number;
  /** How many times as fast a node computes as the machine of the measurement. */
  nodeSpeed: number;
  /** The size of a bucket; undefined where it is training's, which grows with the ranks beyond eight. */
  bucketMiB: number | undefined;
  /** Whether Gloo is as fast as the link; else it sends no faster than it did here. */
  glooKeepsUp: boolean;
  computeSeconds: number;
  stepSeconds: number;
  efficiency: number;
}

const aloneOf = { 2: "Lyceum 2, nothing summed", 4: "Lyceum 4, nothing summed" } as const;
const trainedOf = { 2: "Lyceum 2", 4: "Lyceum 4" } as const;

const workOf = ({ gradientBytes, seconds }: Measured, side: Side): RankWork => ({
  computeSeconds: seconds[side].median,
  gradientBytes,
});

/**
 * Holds the model against the steps of 2 and 4 processes. How busy the processor is with sums is taken from the two processes
 * of the network with the most bytes; all else follows from what processes compute without sums, and from all-reduces alone.
 */
export function checkModel({ networks, links }: Pick<Results, "networks" | "links">): Checked[] {
  const largest = [...networks].sort((a, b) => b.gradientBytes - a.gradientBytes)[0];
  if (!largest) return [];
  const busyShare = busyShareHere({ networks, links });
  return networks.flatMap((measured) =>
    ([2, 4] as const).map((ranks) => ({
      ...{ model: measured.model, ranks, measured: measured.seconds[trainedOf[ranks]].median },
      predicted: stepSeconds({ ...workOf(measured, aloneOf[ranks]), busyShare }, ranks, links[ranks]),
      fitted: measured === largest && ranks === 2,
    })),
  );
}

function busyShareHere({ networks, links }: Pick<Results, "networks" | "links">): number {
  const largest = [...networks].sort((a, b) => b.gradientBytes - a.gradientBytes)[0]!;
  return busyShareOf(workOf(largest, aloneOf[2]), 2, links[2], largest.seconds["Lyceum 2"].median);
}

/** A hop between two machines of one network: TCP through the kernels of both, a thread woken on each. */
const hopSeconds = 50e-6;
/** Images of a node in a step: a batch of 256 on 8 nodes. */
const imagesPerNode = 32;

/** What the model says of ResNet-50 at 224x224 on clusters; empty where it was not measured. */
export function predictions({ networks, links }: Pick<Results, "networks" | "links">): Predicted[] {
  const measured = networks.find(({ model }) => model === "resnet50");
  if (!measured) return [];
  const busyHere = busyShareHere({ networks, links });
  const perImage = measured.seconds["Lyceum 1"].median / measured.batchSize;
  const rows: Predicted[] = [];
  for (const nodeSpeed of [1, 16])
    for (const bucketMiB of [undefined, 4])
      for (const glooKeepsUp of [false, true])
        for (const gigabitsPerSecond of [10, 100])
          for (const nodes of [8, 64]) {
            const wire = (gigabitsPerSecond * 1e9) / 8;
            const link: Link = {
              hopSeconds,
              bytesPerSecond: glooKeepsUp ? wire : Math.min(wire, links[2].bytesPerSecond),
            };
            const work: RankWork = {
              computeSeconds: (perImage * imagesPerNode) / nodeSpeed,
              // The classifier has 1,000 classes there.
              gradientBytes: measured.gradientBytes + 4 * 900 * 2049,
              ...(bucketMiB && { bucketBytes: bucketMiB * 2 ** 20 }),
              // The same work on so many more cores.
              busyShare: busyHere / nodeSpeed,
            };
            rows.push({
              ...{ nodes, gigabitsPerSecond, nodeSpeed, bucketMiB, glooKeepsUp },
              computeSeconds: work.computeSeconds,
              stepSeconds: stepSeconds(work, nodes, link),
              efficiency: efficiency(work, nodes, link),
            });
          }
  return rows;
}
