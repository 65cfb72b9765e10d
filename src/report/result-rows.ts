import { metrics as allMetrics, type Metric, type MetricTable } from "../analysis/index.js";
import type { RunResult } from "../runs/types.js";
import { duration, metricText, nameOf } from "./numbers.js";

/** The results of a run as the cells of a table. */
export interface ResultRows {
  /** The headings of all columns but the first, which holds names. */
  headings: string[];
  /** The cells: a row for each generation, then one for each ensemble. */
  rows: string[][];
  /** Explanations of columns that need one, as phrases. */
  notes: string[];
}

/**
 * Lays out a run's results: a column for each metric that has one in this table and a value in some row, and
 * the time of training in the tables of results.
 */
export function resultRows(
  table: MetricTable,
  { generations, ensembles, k }: Pick<RunResult, "generations" | "ensembles" | "k">,
  metrics: readonly Metric[] = allMetrics,
): ResultRows {
  const networks = [
    ...generations.map(({ generation, role, test, trainSeconds }) => ({
      name: nameOf(generation, role),
      test: test as Record<string, unknown>,
      time: duration(trainSeconds),
    })),
    ...Object.entries(ensembles).map(([members, { test }]) => ({
      name: `ensemble ${members.replace("-", "–")}`,
      test: test as Record<string, unknown>,
      time: "",
    })),
  ];
  const shown = metrics.filter(
    ({ name, columns }) =>
      columns.includes(table) && networks.some(({ test }) => typeof test[name] === "number"),
  );
  const cell = (metric: Metric, value: unknown) =>
    typeof value === "number" ? metricText(metric, value) : "";
  const timed = table !== "knowledge";
  return {
    headings: [...shown.map(({ label }) => label), ...(timed ? ["training"] : [])],
    rows: networks.map(({ name, test, time }) => [
      name,
      ...shown.map((metric) => cell(metric, test[metric.name])),
      ...(timed ? [time] : []),
    ]),
    notes: shown.flatMap(({ note }) => note?.(k) ?? []),
  };
}
