/** Finds the values of a study by arm, metric and place in the line, for whatever compares or shows them. */
import { type Metric, metrics } from "../analysis/index.js";
import { nearest } from "../recipe/index.js";
import { transferMetrics } from "../transfer/index.js";
import type { ArmResult, ComparedPart, LineResult, NetworkResult, StudyResult } from "./types.js";

/**
 * Where lines are compared: a generation by its number, the last network of each line, the ensemble of each whole
 * line, or the ensemble of the same generations of both, such as "0-2".
 */
export type Place = number | "last" | "ensemble" | `${number}-${number}`;

/** What of a line was measured: one network by its generation, or an ensemble by its first and last. */
export type Measured = number | `${number}-${number}`;

/** Which number of a network is meant. */
export interface Measure {
  /** The name of a metric that is one number (docs/metrics.md). */
  metric: string;
  part: ComparedPart;
}

/** What is asked of a metric that is one number. */
export type ScalarMetric = Pick<Metric, "name" | "label" | "unit" | "digits" | "better">;

/**
 * Finds a metric that is one number by its name, those of transfers among them.
 *
 * @throws RangeError that suggests the nearest name when there is none
 */
export function scalarMetric(name: string): ScalarMetric {
  const own = metrics.filter((metric: Metric) => metric.maxLength === undefined);
  const scalars: ScalarMetric[] = [...own, ...transferMetrics];
  const found = scalars.find((metric) => metric.name === name);
  if (found) return found;
  const names = scalars.map((metric) => metric.name);
  const meant = nearest(name, names);
  throw new RangeError(
    `there is no metric "${name}" that is one number${meant ? `; did you mean "${meant}"?` : `: ${names.join(", ")}`}`,
  );
}

/**
 * Finds an arm by its name.
 *
 * @throws RangeError that suggests the nearest name when there is none
 */
export function armNamed({ arms }: Pick<StudyResult, "arms">, name: string): ArmResult {
  const found = arms.find((arm) => arm.name === name);
  if (found) return found;
  const names = arms.map((arm) => arm.name);
  const meant = nearest(name, names);
  throw new RangeError(
    `there is no arm "${name}"${meant ? `; did you mean "${meant}"?` : `: the arms are ${names.join(", ")}`}`,
  );
}

/**
 * Says which network or ensemble of an arm's line stands at a place. The ensemble of a line of one network is that
 * network.
 *
 * @returns undefined where the line has nothing there
 */
export function measuredAt({ generations }: ArmResult, place: Place): Measured | undefined {
  const last = generations - 1;
  if (place === "last") return last;
  if (place === "ensemble") return last === 0 ? 0 : `0-${last}`;
  if (typeof place === "number") return place <= last ? place : undefined;
  return Number(place.split("-")[1]) <= last ? place : undefined;
}

/**
 * Gives an arm's values by seed, only for the seeds that have one. A value that is no finite number, as of a
 * training that diverged, is given as it is.
 */
export function valuesOf(arm: ArmResult, measured: Measured, { metric, part }: Measure): Map<number, number> {
  const found = new Map<number, number>();
  for (const line of arm.lines) {
    const results = typeof measured === "number" ? line.networks[measured] : line.ensembles[measured];
    const value = ((results as NetworkResult | undefined)?.[part] as Record<string, unknown> | undefined)?.[
      metric
    ];
    if (typeof value === "number") found.set(line.seed, value);
  }
  return found;
}

/** An arm's values, in the order of its seeds; null where there is none, or no finite number. */
export interface ArmValues {
  seeds: number[];
  /** For each seed, the value of each generation. */
  generations: (number | null)[][];
  /** For each seed, the value of the ensemble of the whole line; of a single network, its own. */
  ensemble: (number | null)[];
}

/** Lays an arm's values out by seed. */
export function armValues(arm: ArmResult, measure: Measure): ArmValues {
  const seeds = arm.lines.map(({ seed }) => seed);
  const column = (measured: Measured) => {
    const values = valuesOf(arm, measured, measure);
    return seeds.map((seed) => {
      const value = values.get(seed);
      return value !== undefined && Number.isFinite(value) ? value : null;
    });
  };
  const columns = Array.from({ length: arm.generations }, (_, generation) => column(generation));
  return {
    seeds,
    generations: seeds.map((_, i) => columns.map((values) => values[i]!)),
    ensemble: column(measuredAt(arm, "ensemble")!),
  };
}

/**
 * Tells whether two arms share what is compared: the same networks, which were trained once. A difference
 * between them would be 0 by itself.
 */
export function areShared(a: ArmResult, ofA: Measured, b: ArmResult, ofB: Measured): boolean {
  const pairs = a.lines.flatMap((line) => {
    const other = b.lines.find(({ seed }) => seed === line.seed);
    const [one, two] = [identity(line, ofA), other && identity(other, ofB)];
    return one && two ? [[one, two]] : [];
  });
  return pairs.length > 0 && pairs.every(([one, two]) => one === two);
}

/** The fingerprints of the networks that are measured; undefined where one is missing or has none. */
function identity(line: LineResult, measured: Measured): string | undefined {
  const [first, last] = typeof measured === "number" ? [measured, measured] : measured.split("-").map(Number);
  const members = Array.from(
    { length: last! - first! + 1 },
    (_, i) => line.networks[first! + i]?.fingerprint,
  );
  return members.every(Boolean) ? members.join(" ") : undefined;
}

/**
 * Gives the seconds that a network's training took: the processor's, which other programs on the machine hardly change,
 * where they were counted, else those that passed.
 */
export function secondsOf({ cpuSeconds, trainSeconds }: NetworkResult): number {
  return cpuSeconds ?? trainSeconds;
}

/** Tells whether the processor's seconds were counted for every network of a study that is trained. */
export function countsProcessor({ arms }: Pick<StudyResult, "arms">): boolean {
  const networks = arms.flatMap(({ lines }) => lines.flatMap((line) => line.networks));
  return networks.every((network) => network === undefined || network.cpuSeconds !== undefined);
}
