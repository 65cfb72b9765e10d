import type { Metric, MetricNeed } from "./define.js";
import { metrics as allMetrics } from "./metrics.js";

const [begin, end] = ["<!-- metrics: written by src/analysis/metric-table.ts -->", "<!-- end of metrics -->"];

/**
 * Writes the table of all metrics into a Markdown page, between the two comments that mark its place.
 *
 * @returns the page with the table of today
 * @throws Error when the page has no such place
 */
export function withMetricTable(page: string, metrics: readonly Metric[] = allMetrics): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page has no place for the metrics: "${begin}" … "${end}"`);
  return `${page.slice(0, from)}${begin}\n${metricTable(metrics)}\n${page.slice(to)}`;
}

/** The evaluations that have what a metric may need, in words. */
const having: Record<MetricNeed, string> = {
  teacher: "students",
  members: "ensembles",
  superclasses: "networks, ensembles; on data with superclasses",
};

function metricTable(metrics: readonly Metric[]): string {
  const rows = metrics.map((metric) => [
    `\`${metric.name}\``,
    metric.label,
    `${metric.summary}${metric.source ? ` (${metric.source})` : ""}`,
    metric.formula,
    unitInWords(metric),
    metric.better ?? "–",
    metric.needs?.map((need) => having[need]).join(", ") ?? "networks, ensembles",
  ]);
  const headings = ["name", "heading", "what it says", "formula", "unit", "better", "of"];
  return [headings, headings.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

function unitInWords({ unit, maxLength }: Metric): string {
  return maxLength === undefined ? unit : `${unit}, a list of up to ${maxLength}`;
}
