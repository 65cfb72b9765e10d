/** The figures of a study, in the order of its page. */
import type { Figure } from "../figure.js";
import type { StudyView } from "../view.js";
import { accuracyFigure } from "./accuracy.js";
import { bySeedFigure } from "./by-seed.js";
import { costFigure } from "./cost.js";
import { differencesFigure } from "./differences.js";
import { diversityFigure } from "./diversity.js";
import { rankFigure } from "./rank.js";
import { reliabilityFigure } from "./reliability.js";
import { searchFigure } from "./search.js";
import { superclassFigure } from "./superclass.js";

/** Those that stand above the table, since they show what the study is about. */
const first = [searchFigure, accuracyFigure, differencesFigure];
const others = [bySeedFigure, costFigure, rankFigure, reliabilityFigure, superclassFigure, diversityFigure];

/** Makes the figures for which a study has numbers. */
export function figuresOf(view: StudyView): { first: Figure[]; others: Figure[] } {
  const made = (list: typeof first) => list.flatMap((figure) => figure(view) ?? []);
  return { first: made(first), others: made(others) };
}
