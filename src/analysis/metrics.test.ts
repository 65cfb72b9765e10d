import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { defineMetric, type Metric, meanOverImages } from "./define.js";
import { evaluateLogits } from "./evaluate-logits.js";
import { withMetricTable } from "./metric-table.js";
import { ece } from "./metrics/ece.js";
import { entropy } from "./metrics/entropy.js";
import { meanSecondaryScore } from "./metrics/mean-secondary-score.js";
import { meanTopScore } from "./metrics/mean-top-score.js";
import { nll } from "./metrics/nll.js";
import { scoreByRank } from "./metrics/score-by-rank.js";
import { metrics as all } from "./metrics.js";

const metrics: readonly Metric[] = all;
const docs = new URL("../../docs/metrics.md", import.meta.url);

test("names are keys, each once; labels, sentences and formulas are there", () => {
  expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length);
  for (const { name, label, summary, formula } of metrics) {
    expect(name).toMatch(/^[a-z][A-Za-z0-9]*$/);
    for (const text of [label, summary, formula]) expect(text).toMatch(/\S/);
    expect(summary).not.toMatch(/\.$/);
  }
});

test("a list of numbers has no column", () => {
  const lists = metrics.filter(({ maxLength }) => maxLength !== undefined);
  expect(lists.length).toBeGreaterThan(0);
  for (const { name, columns } of lists) expect(columns, name).toEqual([]);
});

test("each is what it says: a number, or a list no longer than it may be", () => {
  const values = Float32Array.from({ length: 40 * 12 }, (_, i) => 3 * Math.sin(i * i));
  const logits = { values, classes: 12 };
  const evaluation: Record<string, unknown> = evaluateLogits(logits, new Int32Array(40), {
    teacherLogits: logits,
    memberLogits: [logits, logits],
    superclasses: Int32Array.from({ length: 12 }, (_, c) => c % 3),
  });
  expect(Object.keys(evaluation)).toEqual(metrics.map(({ name }) => name));
  for (const { name, maxLength } of metrics) {
    const value = evaluation[name];
    if (maxLength === undefined) expect(value, name).toBeTypeOf("number");
    else expect((value as number[]).length, name).toBeLessThanOrEqual(maxLength);
  }
});

test("what metrics share is computed once: one softmax of each row", () => {
  const logits = { values: Float32Array.from({ length: 100 * 20 }, (_, i) => Math.sin(i * i)), classes: 20 };
  const sharing = [nll, ece, meanTopScore, meanSecondaryScore, scoreByRank, entropy];
  const exp = vi.spyOn(Math, "exp");
  evaluateLogits(logits, new Int32Array(100), { metrics: sharing });
  expect(exp).toHaveBeenCalledTimes(100 * 20);
  exp.mockRestore();
});

test("docs/metrics.md holds the table of today (npm run generate writes it)", async () => {
  await expect(withMetricTable(readFileSync(docs, "utf8"))).toMatchFileSnapshot(docs.pathname);
  expect(() => withMetricTable("# Metrics")).toThrow("no place for the metrics");
});

test("metrics of one's own can be asked for, beside the library's or alone", () => {
  const spread = defineMetric({
    name: "spread",
    label: "spread",
    summary: "the mean square of the scores",
    formula: "1/N Σᵢ Σ_c pᵢ(c)²",
    unit: "score",
    digits: 3,
    better: "higher",
    columns: [],
    compute: ({ network }) =>
      meanOverImages(network, (i) => network.scores(i).reduce((sum, p) => sum + p ** 2, 0)),
  });
  const logits = { values: Float64Array.of(0, Math.log(3), 0, 0), classes: 2 };
  const alone = evaluateLogits(logits, [0, 1], { metrics: [spread] });
  const value: number = alone.spread;
  expect(value).toBeCloseTo((0.75 ** 2 + 0.25 ** 2 + 2 * 0.5 ** 2) / 2, 14);
  // @ts-expect-error the metric top1 was not asked for
  expect(alone.top1).toBeUndefined();
  const both = evaluateLogits(logits, [0, 1], { metrics: [...all, spread] });
  expect([both.spread, both.top1]).toEqual([value, 0]);
  // @ts-expect-error without a teacher there may be no agreement
  const agreement: number = both.teacherAgreement;
  expect(agreement).toBeUndefined();
});

test("a metric is left out where something that it needs is missing", () => {
  const needy = defineMetric({
    name: "needy",
    label: "needy",
    summary: "how many superclasses and classes of a teacher there are",
    formula: "S + C",
    unit: "score",
    digits: 0,
    columns: [],
    needs: ["teacher", "superclasses"],
    compute({ teacher, superclasses, ...rest }) {
      // @ts-expect-error it did not ask for the members of an ensemble
      expect(rest.members).toBeUndefined();
      return new Set(Array.from(superclasses)).size + teacher.classes;
    },
  });
  const logits = { values: Float64Array.of(0, 1, 2, 3, 2, 1), classes: 3 };
  const [teacherLogits, superclasses] = [logits, [0, 0, 1]];
  const value = (extras: object) => evaluateLogits(logits, [0, 1], { metrics: [needy], ...extras });
  expect(value({})).toEqual({});
  expect(value({ teacherLogits })).toEqual({});
  expect(value({ superclasses })).toEqual({});
  expect(value({ teacherLogits, superclasses })).toEqual({ needy: 5 });
});
