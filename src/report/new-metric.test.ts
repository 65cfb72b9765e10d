/** Adds a metric to the table, as one line in its list would, and expects it wherever metrics are shown. */
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";

vi.mock("../analysis/metrics.js", async (original) => {
  const { defineMetric, meanOverImages } = await import("../analysis/define.js");
  const margin = defineMetric({
    name: "margin",
    label: "margin",
    summary: "the mean distance of the best class's score from the second best one's",
    formula: "1/N Σᵢ pᵢ₍₁₎ − pᵢ₍₂₎",
    unit: "score",
    digits: 4,
    columns: ["terminal", "report"],
    compute: ({ network }) => meanOverImages(network, (i) => network.score(i, 1) - network.score(i, 2)),
  });
  const { metrics } = await original<typeof import("../analysis/metrics.js")>();
  return { metrics: [...metrics, margin] };
});

test("training's result, summary.json, terminal, report and docs have a new metric; older runs go without", async () => {
  const { withMetricTable } = await import("../analysis/index.js");
  const { resultTables } = await import("../cli/results.js");
  const { makeRun } = await import("./fixtures/make-run.js");
  const { writeReport } = await import("./index.js");
  const directory = join(mkdtempSync(join(tmpdir(), "lyceum-metric-")), "run");
  const run = await makeRun(directory, { finished: 2 });

  const summary = (await run.readSummary())!;
  const values = [...summary.generations, ...Object.values(summary.ensembles)].map(
    ({ test }) => (test as Record<string, unknown>).margin as number,
  );
  expect(values).toHaveLength(3);
  for (const value of values) expect(value).toBeGreaterThan(0);
  expect(resultTables(summary).split("\n")[0]).toMatch(/agreement +margin +training$/);
  expect(resultTables(summary)).toContain(values[0]!.toFixed(4));
  const page = readFileSync(await writeReport(directory), "utf8");
  expect(page).toContain("<th>margin</th>");
  expect(page).toContain(`<td>${values[2]!.toFixed(4)}</td>`);
  const docs = withMetricTable(readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8"));
  expect(docs).toContain("| `margin` |");

  for (const { test } of summary.generations) delete (test as Record<string, unknown>).margin;
  await run.writeSummary({ ...summary, ensembles: {} });
  const older = (await run.readSummary())!;
  expect(older.generations[0]!.test.top1).toBe(summary.generations[0]!.test.top1);
  expect(resultTables(older)).not.toContain("margin");
});
