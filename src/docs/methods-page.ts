/** Generates docs/methods.md, what a generation can learn from, out of the methods' definitions. */
import { type Method, methods } from "../methods/index.js";
import { zod } from "../packages.js";

const introduction = `# Methods

A method is what a generation learns from: a name, options and a loss. This page is generated from the definitions in
\`src/methods/\` (\`npm run generate\`). \`CE\` is the cross-entropy with the labels, \`KL\` the Kullback–Leibler divergence,
\`p₍ₖ₎\` the k-th largest score of an image, and \`T\` the temperature; all are means over the batch, in nats.

A method of your own is one file: see [tutorial.md](tutorial.md), [examples/penalty.ts](../examples/penalty.ts) and
[examples/two-teachers.ts](../examples/two-teachers.ts).

What the random changes to the images ([recipe.md](recipe.md#augment)) make of the terms above:

| change | term of the label | teachers |
|---|---|---|
| crop, flip | as it is | predict the changed image |
| Mixup, CutMix | w · loss for the label + (1 - w) · loss for the other image's label, w the weight of the image itself; other terms alike | predict the mixed image, once |

For a loss that is affine in the distribution of the label, such as \`CE\`, that is the loss for the mixed distribution;
a term without a label in it stays as it is. The training accuracy counts a mixed image by the weight of the label that had
the highest score.

| method | loss | teachers of generation m |
|---|---|---|
`;

/** Generates the text of the page. */
export function methodsPage(): string {
  const all = methods as readonly Method[];
  const rows = all.map(
    (method) => `| [${method.name}](#${method.name}) | ${method.formula} | ${teachersOf(method)} |`,
  );
  return [introduction + rows.join("\n"), ...all.map(section)].join("\n\n").concat("\n");
}

function section(method: Method): string {
  const options = Object.entries(method.options?.(zod().z) ?? {});
  const terms = Object.entries(method.terms).map(([name, words]) => `\`${name}\` (${words})`);
  const lines = [`## ${method.name}`, "", method.summary, "", `Terms: ${terms.join(", ")}.`];
  if (options.length > 0) lines.push("", "| option | meaning |", "|---|---|");
  for (const [name, option] of options) lines.push(`| \`${name}\` | ${option.description ?? ""} |`);
  return lines.join("\n");
}

/** Names the generations that teach generation m, in the notation of the page's table. */
function teachersOf({ teachers, options }: Method): string {
  if (!teachers) return "none";
  const z = zod().z;
  // A generation so late in a line that all teachers which the method can ask for are there.
  const late = 1000;
  const found = teachers(late, z.object(options?.(z) ?? {}).parse({}));
  return found.map((teacher) => `m - ${late - teacher}`).join(", ");
}
