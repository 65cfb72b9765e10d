import type { DatasetDefinition } from "../define.js";
import { cifar10 } from "./cifar10.js";
import { cifar100 } from "./cifar100.js";
import { fashionMnist } from "./fashion-mnist.js";
import { folder } from "./folder.js";
import { imagenet } from "./imagenet.js";
import { mnist } from "./mnist.js";
import { shards } from "./shards.js";
import { synthetic } from "./synthetic.js";

/** Every data set that Lyceum knows, in the order in which they are listed. A new one is a file and a line here. */
export const datasets: readonly DatasetDefinition[] = [
  ...[fashionMnist, mnist, cifar10, cifar100],
  ...[folder, imagenet, shards],
  synthetic,
];

export const datasetNames: readonly string[] = datasets.map(({ name }) => name);

/** @throws RangeError that lists the names when there is no such set */
export function datasetNamed(name: string): DatasetDefinition {
  const found = datasets.find((candidate) => candidate.name === name);
  if (found) return found;
  throw new RangeError(`there is no data set "${name}": known are ${datasetNames.join(", ")}`);
}
