import { meanDistillation } from "../losses/index.js";
import { defineMethod } from "./define.js";
import { checkWeights, labelsAndTeacher, studentInWords, studentOptions, weightsAt } from "./student.js";

/** The generations that teach: all earlier ones, the last few of them, or those of a list that are earlier. */
type Generations = "all" | { last: number } | number[];

/** The method of a student that learns from the mean of several earlier generations' scores. */
export const meanOfTeachers = defineMethod({
  name: "mean-of-teachers",
  summary:
    "Cross-entropy with the labels, and the divergence from the mean score of several earlier generations.",
  formula: "hardWeight · CE + softWeight · T² · KL(mean of teachers ‖ student)",
  source: "Hinton et al. 2015 (arXiv:1503.02531), of an ensemble",
  terms: { hard: "labels (cross-entropy)", soft: "mean of the teachers (KL divergence)" },
  options: (z) => ({
    ...studentOptions(z),
    generations: z
      .union([
        z.literal("all"),
        z.strictObject({
          last: z.int().min(1).max(100).describe("How many generations before the student teach it."),
        }),
        z.array(z.int().min(0).max(99)).min(1).max(100),
      ])
      .default("all")
      .describe(
        "Which generations teach: all earlier ones; {last: n}, the n before the student; or a list, of which those count " +
          "that are earlier.",
      ),
  }),
  teachers: (generation, { generations }) => earlier(generations, generation),
  at: (options, place) => {
    const weighted = weightsAt(options, place);
    if (place.generation === 0) return weighted;
    return { ...weighted, generations: earlier(options.generations, place.generation) };
  },
  loss: (input, options) =>
    labelsAndTeacher(input, options, meanDistillation(input.logits, input.teachers, options)),
  check: (options) => {
    const { generations } = options;
    if (!Array.isArray(generations)) return checkWeights(options);
    const problem = (message: string) => [{ key: "generations", message }];
    if (generations.length === 0)
      return problem("must list generation 0, the only one that can teach the first student");
    if (new Set(generations).size < generations.length) return problem("lists a generation twice");
    return checkWeights(options);
  },
  describe: (options) => studentInWords(options, `the mean of ${inWords(options.generations)}`),
});

/** @throws RangeError for the patriarch, before which there is none */
function earlier(generations: Generations, generation: number): number[] {
  if (generation === 0) throw new RangeError("the patriarch has no earlier generation to learn from");
  if (Array.isArray(generations)) return generations.filter((one) => one < generation);
  const count = generations === "all" ? generation : Math.min(generation, generations.last);
  return Array.from({ length: count }, (_, i) => generation - count + i);
}

function inWords(generations: Generations): string {
  if (generations === "all") return "all earlier generations";
  if (!Array.isArray(generations)) return `the last ${generations.last} generations`;
  return `generations ${generations.join(", ")}`;
}
