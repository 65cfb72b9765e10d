import { rankChart } from "../charts/rank.js";
import { armEntries } from "../entries.js";
import type { Figure } from "../figure.js";
import { meanList, panelsOf } from "../lists.js";
import type { StudyView } from "../view.js";

/** How softly the networks of each arm answer. */
export function rankFigure(view: StudyView): Figure | undefined {
  const panels = panelsOf(view)
    .map(({ title, outcomeOf }) => ({
      title,
      arms: view.arms.flatMap((arm) => {
        const outcome = outcomeOf(arm);
        const scores = outcome ? meanList(view, arm, outcome, "scoreByRank") : [];
        return scores.length > 0 ? [{ ...arm, scores }] : [];
      }),
    }))
    .filter(({ arms }) => arms.length > 0);
  if (panels.length === 0) return undefined;
  return {
    name: "score-by-rank",
    title: "Score by rank",
    caption:
      `The mean score of the best class of an image, of the second best, and so on, over the ${view.images} and the ` +
      "seeds, on a logarithmic scale. A curve that falls off steeply leaves little to the classes beside the best; one " +
      "that is high and then falls leaves some score to a few of them, one that stays level leaves the same to all.",
    legend: armEntries(view),
    draw: (palette) => rankChart({ panels }, palette),
  };
}
