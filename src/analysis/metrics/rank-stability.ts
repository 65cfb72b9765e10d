import { defineMetric, meanOverImages } from "../define.js";
import { rankCorrelation } from "../rank-correlation.js";

/**
 * The teacher's best class is left out, because nearly every network puts the same class there. The ranks are
 * those of the logits, which order classes as the scores do but do not all become 0 far down.
 */
export const rankStability = defineMetric({
  name: "rankStability",
  label: "rank stability",
  summary:
    "whether a student ranks the classes beside its teacher's best one as its teacher does: 1 for the same order, 0 for none, −1 for the opposite",
  formula:
    "1/N Σᵢ ρᵢ, ρᵢ Spearman's correlation of pᵢ(c) and qᵢ(c), q the teacher's scores, over all c but the teacher's class of rank 1; equal scores share their mean rank; ρᵢ = 0 where all scores of one network are equal",
  source: "Spearman 1904",
  unit: "correlation",
  digits: 3,
  columns: ["knowledge"],
  note: () =>
    "rank stability: how alike student and teacher rank all classes but the teacher's best (Spearman)",
  jumps: 1,
  needs: ["teacher"],
  compute({ network, teacher }) {
    const others = (logits: ArrayLike<number>, start: number, best: number, into: Float64Array) => {
      for (let c = 0; c < best; c++) into[c] = logits[start + c]!;
      for (let c = best; c < into.length; c++) into[c] = logits[start + c + 1]!;
      return into;
    };
    const [a, b] = [new Float64Array(network.classes - 1), new Float64Array(network.classes - 1)];
    return meanOverImages(network, (i) => {
      const [start, best] = [i * network.classes, teacher.topClasses[i]!];
      return rankCorrelation(
        others(network.logits.values, start, best, a),
        others(teacher.logits.values, start, best, b),
      );
    });
  },
});
