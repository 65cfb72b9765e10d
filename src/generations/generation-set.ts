/** Sets of generations, as people write them and as results name them. */
import type { EnsembleOptions } from "../analysis/index.js";

/**
 * Parses a set of generations: "0-2" gives [0, 1, 2], "0,2" gives [0, 2], "3,0-1" gives [3, 0, 1].
 *
 * @returns undefined for other texts, where a range ends before it starts and where a generation is given twice
 */
export function parseGenerations(text: string): number[] | undefined {
  const all: number[] = [];
  for (const part of text.split(",")) {
    const [, from, to = from] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part) ?? [];
    if (from === undefined || Number(to) < Number(from)) return undefined;
    for (let generation = Number(from); generation <= Number(to); generation++) all.push(generation);
  }
  return new Set(all).size === all.length ? all : undefined;
}

/**
 * Names the ensemble of some generations: "0-2" for generations 0 to 2, the key of summary.json, "0,2" for
 * others; what differs from the plain mean of softmax stands behind it: "0,2 mean of logits, weights 1:2".
 */
export function ensembleName(
  generations: readonly number[],
  { mean = "softmax", weights = [] }: EnsembleOptions = {},
): string {
  const [first] = generations;
  const inARow = generations.every((generation, i) => generation === first! + i);
  const how = [
    ...(mean === "softmax" ? [] : [`mean of ${mean}`]),
    ...(weights.every((weight) => weight === weights[0]) ? [] : [`weights ${weights.join(":")}`]),
  ];
  return [inARow ? `${first}-${generations.at(-1)}` : generations.join(","), how.join(", ")].join(" ").trim();
}
