import type { DatasetSource } from "../source.js";
import { cifar10 } from "./cifar10.js";
import { cifar100 } from "./cifar100.js";
import { fashionMnist } from "./fashion-mnist.js";
import { mnist } from "./mnist.js";
import { synthetic } from "./synthetic.js";

/** Every data set that has a name, in the order they are listed. */
export const datasets: readonly DatasetSource[] = [fashionMnist, mnist, cifar10, cifar100, synthetic];

export const datasetNames: readonly string[] = datasets.map(({ name }) => name);

/** @throws RangeError that lists the names when there is no such set */
export function datasetSource(name: string): DatasetSource {
  const source = datasets.find((candidate) => candidate.name === name);
  if (source) return source;
  throw new RangeError(`there is no data set "${name}": known are ${datasetNames.join(", ")}`);
}
