/** The page of Markdown that shows what `npm run bench -- ranks` found. */
import type { Measured, Results, Side } from "./main.js";

const row = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
const tableOf = (head: readonly string[], rows: readonly (readonly (string | number)[])[]) => [
  row(head),
  row(head.map(() => "---")),
  ...rows.map(row),
];
/** Milliseconds with three digits, or all before the point. */
const ms = (seconds: number) => {
  const value = 1000 * seconds;
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
};
const percent = (fraction: number) => `${(100 * fraction).toFixed(0)} %`;
const times = (ratio: number) => ratio.toFixed(2);

/** Writes the page. */
export function pageOf({ command, machine, networks, allReduces, links, check, predicted }: Results): string {
  const { cpu, cores, node, libtorch, pytorch } = machine;
  const [first] = networks;
  if (!first) return "";
  return `${[
    "# Steps of several processes",
    "",
    `\`${command}\` writes this page, and [ranks.json](../../bench/results/ranks.json) with the quartiles. ${cpu}, ${cores} cores; ` +
      `libtorch ${libtorch}, PyTorch ${pytorch}, Node ${node}. Medians of steps in turns; one process has ${cores} threads, several have one ` +
      "each. Batch norm is each process's own. Both sides load the same weights and images, and their first three losses agree to 1e-3.",
    "",
    ...tableOf(
      ["network", "images of all", "gradients", "steps", "load", "date"],
      networks.map(({ model, size, batchSize, gradientBytes, steps, load, date }) => [
        `${model}, ${size}x${size}`,
        batchSize,
        `${(gradientBytes / 1e6).toFixed(1)} MB`,
        steps,
        load.toFixed(1),
        date.slice(0, 10),
      ]),
    ),
    "",
    "*Load* is the machine's average of the last minute. The bench itself makes about 2; where it is higher other programs ran too, and " +
      "then neither milliseconds nor ratios say much.",
    "",
    "## One process and two",
    "",
    ...tableOf(
      [
        "network",
        "by",
        "1 process, ms",
        "2 processes, ms",
        "2 beside 1",
        "share of a step that summing costs",
      ],
      networks.flatMap(({ model, seconds }) => [
        [model, "Lyceum", ...stepsOf(seconds, "Lyceum 1", "Lyceum 2", "Lyceum 2, nothing summed")],
        [
          model,
          "PyTorch",
          ...stepsOf(seconds, "PyTorch 1", "PyTorch DDP 2", "PyTorch DDP 2, nothing summed"),
        ],
      ]),
    ),
    "",
    "*2 beside 1*: how many times as fast two processes are as one. *Summing costs*: what a step of two processes is longer than one in " +
      "which nothing is summed.",
    "",
    ...tableOf(
      [
        "network",
        "sums of Lyceum's buckets, ms",
        "not hidden by backward, ms",
        "Lyceum beside PyTorch, 1 process",
        "2 processes",
      ],
      networks.map(({ model, seconds, summing, exposed }) => [
        model,
        ms(summing.median),
        `${ms(exposed.median)} (${percent(exposed.median / summing.median)})`,
        times(seconds["PyTorch 1"].median / seconds["Lyceum 1"].median),
        times(seconds["PyTorch DDP 2"].median / seconds["Lyceum 2"].median),
      ]),
    ),
    "",
    "## The model",
    "",
    "[docs/scale.md](../../docs/scale.md) has the formula. An all-reduce of float32 between processes of this machine, ms:",
    "",
    ...tableOf(
      ["bytes", "2 processes", "4 processes"],
      Object.keys(allReduces[2] ?? {}).map((bytes) => [
        Number(bytes).toLocaleString("en"),
        ms(allReduces[2]![bytes]!),
        ms(allReduces[4]![bytes]!),
      ]),
    ),
    "",
    `From the first and the last row: a hop of ${(1e6 * links[2].hopSeconds).toFixed(0)} µs and ${(links[2].bytesPerSecond / 1e9).toFixed(2)} GB/s ` +
      `between 2, ${(1e6 * links[4].hopSeconds).toFixed(0)} µs and ${(links[4].bytesPerSecond / 1e9).toFixed(2)} GB/s between 4.`,
    "",
    ...tableOf(
      ["network", "processes", "measured, ms", "by the model, ms", "difference"],
      (check ?? []).map(({ model, ranks, measured, predicted, fitted }) => [
        model,
        ranks,
        ms(measured),
        ms(predicted),
        fitted
          ? "fitted"
          : `${predicted < measured ? "−" : "+"}${percent(Math.abs(predicted / measured - 1))}`,
      ]),
    ),
    ...(predicted && predicted.length > 0 ? clusters(predicted) : []),
  ].join("\n")}\n`;
}

function stepsOf(seconds: Measured["seconds"], one: Side, two: Side, alone: Side): string[] {
  const [single, both, unsummed] = [one, two, alone].map((side) => seconds[side].median) as [
    number,
    number,
    number,
  ];
  return [ms(single), ms(both), times(single / both), percent(1 - unsummed / both)];
}

function clusters(predicted: NonNullable<Results["predicted"]>): string[] {
  const columns = [
    { nodes: 8, gigabitsPerSecond: 10 },
    { nodes: 8, gigabitsPerSecond: 100 },
    { nodes: 64, gigabitsPerSecond: 10 },
    { nodes: 64, gigabitsPerSecond: 100 },
  ];
  const kinds = predicted.filter(({ nodes, gigabitsPerSecond }) => nodes === 8 && gigabitsPerSecond === 10);
  return [
    "",
    "## ResNet-50 at 224x224, predicted",
    "",
    "The share of 8 or 64 times one node's images a second, each node with 32 images in a step.",
    "",
    ...tableOf(
      [
        "a node's computing",
        "buckets",
        "Gloo",
        ...columns.map(({ nodes, gigabitsPerSecond }) => `${nodes} nodes, ${gigabitsPerSecond} Gb/s`),
      ],
      kinds.map((kind) => [
        `${kind.nodeSpeed === 1 ? "this machine's" : `${kind.nodeSpeed} times as fast`}: ${ms(kind.computeSeconds)} ms`,
        kind.bucketMiB ? `always ${kind.bucketMiB} MiB` : "as in training",
        kind.glooKeepsUp ? "as fast as the link" : "as fast as here",
        ...columns.map((column) => {
          const found = predicted.find(
            (each) =>
              each.nodes === column.nodes &&
              each.gigabitsPerSecond === column.gigabitsPerSecond &&
              each.nodeSpeed === kind.nodeSpeed &&
              each.bucketMiB === kind.bucketMiB &&
              each.glooKeepsUp === kind.glooKeepsUp,
          );
          return found ? percent(found.efficiency) : "";
        }),
      ]),
    ),
  ];
}
