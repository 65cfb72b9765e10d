/** Makes the results of a study out of numbers that a test writes down. */
import type { ArmResult, EnsembleResult, LineResult, Part, StudyResult } from "../types.js";

/** An arm by hand: accuracies in percent, by generation, for each seed; null where a network is not trained. */
export interface ArmByHand {
  top1: (number | null)[][];
  /** The accuracy of the ensemble of all generations for each seed; default: a point above the last one. */
  ensemble?: (number | null)[];
  /** The arm whose networks of the first generations this one shares, and of how many. */
  shares?: { arm: string; generations: number };
  /** The number of generations. Default: as many as the first seed has. */
  generations?: number;
  methods?: ArmResult["methods"];
  /** The seeds that the arm has. Default: 0, 1, 2, … */
  seeds?: number[];
  trainSeconds?: number;
}

export function studyByHand(
  arms: Record<string, ArmByHand>,
  { reference = Object.keys(arms)[0]!, part = "test" }: { reference?: string; part?: Part } = {},
): StudyResult {
  const made = Object.entries(arms).map(([name, arm]) => armOf(name, arm, part));
  const seeds = [...new Set(made.flatMap((arm) => arm.lines.map(({ seed }) => seed)))].sort((a, b) => a - b);
  const planned = made.flatMap(({ lines, generations }) => lines.map(() => generations));
  const trained = made.flatMap(({ lines }) => lines.flatMap(({ networks }) => networks.filter(Boolean)));
  return {
    trained: { done: trained.length, of: planned.reduce((sum, n) => sum + n, 0) },
    notes: [],
    name: "by-hand",
    title: "By hand",
    description: "",
    reference,
    seeds,
    part,
    arms: made,
  };
}

function armOf(name: string, arm: ArmByHand, part: Part): ArmResult {
  const generations = arm.generations ?? arm.top1[0]?.length ?? 1;
  return {
    name,
    methods: arm.methods ?? [["patriarch", "cross-entropy"]],
    generations,
    epochs: 60,
    lines: arm.top1.map((row, i): LineResult => {
      const seed = arm.seeds?.[i] ?? i;
      const networks = Array.from({ length: generations }, (_, generation) => {
        const top1 = row[generation];
        if (top1 === null || top1 === undefined) return undefined;
        const owner = arm.shares && generation < arm.shares.generations ? arm.shares.arm : name;
        return {
          fingerprint: `${owner}/${seed}/${generation}`,
          generation,
          [part]: { top1: top1 / 100, nll: 2 - top1 / 100 },
          trainSeconds: arm.trainSeconds ?? 400,
          kernels: "AVX2",
          date: "2026-11-30T12:00:00.000Z",
        };
      });
      const ensembles: Record<string, EnsembleResult> = {};
      for (let last = 1; last < generations; last++) {
        const members = networks.slice(0, last + 1);
        if (members.includes(undefined)) continue;
        const given = last === generations - 1 ? arm.ensemble?.[i] : undefined;
        if (given === null) continue;
        const top1 = given === undefined ? row[last]! / 100 + 0.01 : given / 100;
        ensembles[`0-${last}`] = { [part]: { top1, nll: 1.5 - top1 } };
      }
      return { seed, networks, ensembles };
    }),
  };
}
