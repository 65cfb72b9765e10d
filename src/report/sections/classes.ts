import type { ClassKnowledge } from "../class-knowledge.js";
import { type Html, html } from "../html.js";
import { count, percent } from "../numbers.js";
import type { ResultRows } from "../result-rows.js";
import { tableFigure } from "../table-figure.js";

/** Shows which classes are hard, and what they are taken for. */
export function classSection({ networks, hardest, confused, all }: ClassKnowledge): Html {
  const last = networks.at(-1)!;
  const rowsOf = (classes: ClassKnowledge["all"]): ResultRows => ({
    headings: [...networks, "images"],
    rows: classes.map(({ className, images, accuracies }) => [
      className,
      ...accuracies.map((accuracy) => percent(accuracy, 1)),
      count(images),
    ]),
    notes: [],
  });
  const mixed: ResultRows = {
    headings: ["taken for", "images"],
    rows: confused.map(({ className, takenFor, images, of }) => [
      className,
      takenFor,
      `${count(images)} of ${count(of)}`,
    ]),
    notes: [],
  };
  return html`<h2>Which classes are hard</h2>
<div class="pair">${tableFigure(rowsOf(hardest), `The classes of which the ${last} gets fewest right.`, { first: "class" })}
${confused.length > 0 ? tableFigure(mixed, `What the ${last} most often takes for something else.`, { first: "class" }) : undefined}</div>
<details><summary>All ${count(all.length)} classes</summary>${tableFigure(rowsOf(all), "Right among the test images of each class.", { first: "class" })}</details>`;
}
