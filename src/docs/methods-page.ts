/** Generates docs/methods.md, what a generation can learn from, out of the methods' definitions. */
import { type Method, methods } from "../methods/index.js";
import { zod } from "../packages.js";
import type { JsonSchema } from "../recipe/json-schema.js";
import { tableOf } from "./option-table.js";
import { type StepCosts, stepCosts } from "./step-costs.js";

const introduction = `# Methods

A method is what a generation learns from: a name, options and a loss. This page is generated from the definitions in
\`src/methods/\` (\`npm run generate\`). \`CE\` is the cross-entropy with the labels, \`KL\` the Kullback–Leibler divergence,
\`H\` the entropy, \`ρ\` Pearson's correlation, \`p₍ₖ₎\` the k-th largest score of an image, and \`T\` the temperature; all are
means over the batch, in nats.

A method of your own is one file: see [tutorial.md](tutorial.md), [examples/penalty.ts](../examples/penalty.ts) and
[examples/two-teachers.ts](../examples/two-teachers.ts).

What the random changes to the images ([recipe.md](recipe.md#augment)) make of a loss:

| change | loss | teachers |
|---|---|---|
| crop, flip, RandAugment, TrivialAugment, random erasing | that for the label, as without the change | predict the changed image |
| Mixup, CutMix | w · loss for the label + (1 - w) · loss for the other image's label, w the weight of the image itself; its terms alike | predict the mixed image, once |

Every loss but that of \`decoupled-distillation\` is affine in the distribution of the label, as CE is: what stands here for
mixed images is then the loss for the mixed distribution. The split of classes by \`decoupled-distillation\` follows one
label, so that for two labels its weighted mean is a choice of Lyceum's. The training accuracy counts a mixed image by the weight
of the label that had the highest score.

\`correlation-distillation\` and \`confidence-weighted-labels\` relate the images of a batch to each other. With
[accumulate](recipe.md#accumulate) they relate those of each part, which is not the loss of the whole batch.

`;

/** Generates the text of the page. */
export function methodsPage(costs: StepCosts | undefined = stepCosts()): string {
  const all = methods as readonly Method[];
  const table = [
    "| method | loss | teachers of generation m | source | step, beside strict |",
    "|---|---|---|---|---|",
    ...all.map((method) => {
      const ratio = costs?.ratios[method.name];
      const cells = [
        `[${method.name}](#${method.name})`,
        method.formula,
        teachersOf(method),
        method.source ?? "–",
        ratio === undefined ? "not measured" : ratio.toFixed(2),
      ];
      return `| ${cells.join(" | ")} |`;
    }),
  ];
  return [introduction + table.join("\n"), costNote(costs), ...all.map(section)].join("\n\n").concat("\n");
}

/** Says what the last column of the table is, and by which command, where and when it was measured. */
function costNote(costs: StepCosts | undefined): string {
  const meaning =
    "The last column is the time of a training step over that of a step by `strict`, with default options; the teachers' " +
    "forward passes are part of it.";
  return costs ? `${meaning} ${costs.what}; \`${costs.command}\`, ${costs.machine}, ${costs.date}.` : meaning;
}

function section(method: Method): string {
  const { z, toJSONSchema } = zod();
  const schema = toJSONSchema(z.object(method.options?.(z) ?? {}), { io: "input" }) as JsonSchema;
  const options = Object.entries(schema.properties ?? {});
  const terms = Object.entries(method.terms).map(([name, words]) => `\`${name}\` (${words})`);
  const lines = [`## ${method.name}`, "", method.summary, "", `Terms: ${terms.join(", ")}.`];
  if (options.length > 0) lines.push("", ...tableOf(options));
  return lines.join("\n");
}

/** Names the generations that teach generation m, in the notation of the page's table. */
function teachersOf({ teachers, options }: Method): string {
  if (!teachers) return "none";
  const z = zod().z;
  // A generation so late in a line that all teachers which the method can ask for are there.
  const late = 1000;
  const found = teachers(late, z.object(options?.(z) ?? {}).parse({}));
  if (found.length === late) return "all before m";
  return found.map((teacher) => `m - ${late - teacher}`).join(", ");
}
