/** The numbers of a study as CSV files: one row for each network, each ensemble, each paired difference. */
import type { TestResult } from "../../runs/types.js";
import type { PairedDifference, Part, StudyResult } from "../../study/index.js";
import { type Cell, csv } from "../csv.js";

const parts: readonly Part[] = ["heldOut", "test"];

/** Writes a row for each network and part; a metric that is a list of numbers is one cell of JSON, with seven digits each. */
export function networksCsv(study: StudyResult): string {
  const rows = study.arms.flatMap((arm) =>
    arm.lines.flatMap(({ seed, networks }) =>
      networks.flatMap((network) =>
        parts.flatMap((part) => {
          const result = network?.[part];
          if (!network || !result) return [];
          const { generation, trainSeconds, cpuSeconds, kernels, date, fingerprint } = network;
          const about: Cell[] = [arm.name, seed, generation, part];
          return [
            { about, result, behind: [arm.epochs, trainSeconds, cpuSeconds, kernels, date, fingerprint] },
          ];
        }),
      ),
    ),
  );
  const names = metricNames(rows);
  return csv(
    [
      "arm",
      "seed",
      "generation",
      "part",
      ...names,
      "epochs",
      "trainSeconds",
      "cpuSeconds",
      "kernels",
      "date",
      "fingerprint",
    ],
    rows.map(({ about, result, behind }) => [...about, ...metricCells(result, names), ...behind]),
  );
}

/** Writes a row for each ensemble and part. */
export function ensemblesCsv(study: StudyResult): string {
  const rows = study.arms.flatMap((arm) =>
    arm.lines.flatMap(({ seed, ensembles }) =>
      Object.entries(ensembles).flatMap(([members, ensemble]) =>
        parts.flatMap((part) => {
          const result = ensemble[part];
          return result ? [{ about: [arm.name, seed, members, part], result }] : [];
        }),
      ),
    ),
  );
  const names = metricNames(rows);
  return csv(
    ["arm", "seed", "members", "part", ...names],
    rows.map(({ about, result }) => [...about, ...metricCells(result, names)]),
  );
}

/** Writes a row for each paired difference; all numbers are fractions, not points. */
export function differencesCsv(differences: readonly PairedDifference[]): string {
  return csv(
    [
      "a",
      "b",
      "place",
      "ofA",
      "ofB",
      "metric",
      "part",
      "difference",
      "low",
      "high",
      "bootstrapLow",
      "bootstrapHigh",
      "togetherLow",
      "togetherHigh",
      "p",
      "holmP",
      "comparisons",
      "deviation",
      "seeds",
      "differenceBySeed",
    ],
    differences.map((one) => [
      one.a,
      one.b,
      one.generation,
      one.of.a,
      one.of.b,
      one.metric,
      one.part,
      one.difference,
      one.low,
      one.high,
      one.bootstrap?.low,
      one.bootstrap?.high,
      one.simultaneous?.low,
      one.simultaneous?.high,
      one.p,
      one.adjusted,
      one.together,
      one.deviation,
      JSON.stringify(one.seeds),
      JSON.stringify(one.differences),
    ]),
  );
}

/** The names of all metrics that some result has, in the order in which results hold them. */
function metricNames(rows: readonly { result: TestResult }[]): string[] {
  return [...new Set(rows.flatMap(({ result }) => Object.keys(result)))];
}

function metricCells(result: TestResult, names: readonly string[]): Cell[] {
  const values = result as Record<string, unknown>;
  return names.map((name) => {
    const value = values[name];
    if (Array.isArray(value)) return JSON.stringify(value.map((each) => Number(Number(each).toPrecision(7))));
    return typeof value === "number" ? value : undefined;
  });
}
