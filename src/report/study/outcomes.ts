/** What a study measures in each arm: its networks by generation, and the ensembles of generations. */
import type { TestResult } from "../../runs/types.js";
import type { ArmResult, LineResult, StudyResult } from "../../study/index.js";

/** A network by its generation, or the ensemble of all generations up to one. */
export interface Outcome {
  kind: "network" | "ensemble";
  /** The generation of the network, or the last one in the ensemble. */
  generation: number;
}

/** Lists the networks that some arm is to have, then the ensembles that some line has. */
export function outcomesOf({ arms }: Pick<StudyResult, "arms">): Outcome[] {
  const most = Math.max(0, ...arms.map(({ generations }) => generations));
  const networks = Array.from(
    { length: most },
    (_, generation) => ({ kind: "network", generation }) as const,
  );
  const ensembles = networks
    .map(({ generation }) => ({ kind: "ensemble", generation }) as const)
    .filter((outcome) => arms.some(({ lines }) => lines.some((line) => line.ensembles[membersOf(outcome)])));
  return [...networks, ...ensembles];
}

/** The key of an ensemble in a study's results: "0-2". */
export const membersOf = ({ generation }: Outcome) => `0-${generation}`;

/** Gives the name of an outcome: "patriarch", "student 2", "ensemble 0–2". */
export function outcomeName({ kind, generation }: Outcome): string {
  if (kind === "ensemble") return `ensemble 0–${generation}`;
  return generation === 0 ? "patriarch" : `student ${generation}`;
}

/** Gives the name of an outcome in an arm, where the only network of a line is no patriarch: it has no students. */
export function nameIn({ generations }: Pick<ArmResult, "generations">, outcome: Outcome): string {
  return generations === 1 && outcome.kind === "network" ? "network" : outcomeName(outcome);
}

/** Gives the name of what a comparison measured of an arm: a generation's number, or "0-2" for an ensemble. */
export function measuredName(measured: number | string, arm: Pick<ArmResult, "generations">): string {
  if (typeof measured === "number") return nameIn(arm, { kind: "network", generation: measured });
  return `ensemble ${measured.replace("-", "–")}`;
}

/** Gives what one line came to, on the part that the study is about. */
export function resultOf(
  line: LineResult,
  { kind, generation }: Outcome,
  { part }: Pick<StudyResult, "part">,
): TestResult | undefined {
  return kind === "network"
    ? line.networks[generation]?.[part]
    : line.ensembles[membersOf({ kind, generation })]?.[part];
}

/** A seed and the value of a metric there. */
export interface SeedValue {
  seed: number;
  value: number;
}

/** Gives a metric's values in an arm, one for each seed that has one. */
export function valuesOf(
  arm: ArmResult,
  outcome: Outcome,
  study: Pick<StudyResult, "part">,
  metric = "top1",
): SeedValue[] {
  return arm.lines.flatMap((line) => {
    const value = (resultOf(line, outcome, study) as Record<string, unknown> | undefined)?.[metric];
    return typeof value === "number" && Number.isFinite(value) ? [{ seed: line.seed, value }] : [];
  });
}

/** Counts the seeds for which the first network of an arm's line is trained. */
export const trainedSeeds = ({ lines }: Pick<ArmResult, "lines">): number =>
  lines.filter(({ networks }) => networks[0] !== undefined).length;

/** Names the images that a study's numbers are about. */
export const imagesOf = ({ part }: Pick<StudyResult, "part">) =>
  part === "test" ? "test images" : "held-out images";
