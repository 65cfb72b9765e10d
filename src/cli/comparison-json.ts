/** Writes a comparison for programs. */
import { armValues, claims, type StudyResult, scalarMetric } from "../study/index.js";
import type { Comparison } from "./comparison-text.js";

/** Gives the JSON of a comparison, as docs/studies.md describes it. Null stands for what is not known. */
export function comparisonJson(
  study: StudyResult,
  { measure, reference, paired, sentences, expectations }: Comparison,
): string {
  const { metric, part } = measure;
  const { unit, better } = scalarMetric(metric);
  const { name, title, seeds, trained, notes } = study;
  const arms = study.arms.map((arm) => ({
    name: arm.name,
    methods: arm.methods,
    ...armValues(arm, measure),
  }));
  const verdicts = claims({ ...study, reference }, { ...measure, bootstrapSeed: false }).map(
    ({ arm, rival, of, verdict }) => ({
      arm,
      rival,
      of,
      verdict,
    }),
  );
  const all = {
    name,
    title,
    metric,
    unit,
    better,
    part,
    reference,
    seeds,
    trained,
    arms,
    paired,
    claims: verdicts,
    expectations,
    sentences,
    notes,
  };
  return JSON.stringify(all, (_, value) => value ?? null, 2);
}
