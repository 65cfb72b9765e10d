import { defineMetric, meanOverImages } from "../define.js";

/**
 * The share is taken image by image, as a softmax over all classes but the best one, so that it is exact
 * where these have almost no score, and an unsure image counts no more than a sure one.
 */
export const superclassShare = defineMetric({
  name: "superclassShare",
  label: "superclass share",
  summary:
    "of the score that is not on the best class, the part on classes of the label's superclass; superclassChance is what chance gives",
  formula:
    "1/N Σᵢ Σ_c [c in the superclass of yᵢ] pᵢ(c) / Σ_c pᵢ(c), c over all classes but the one of rank 1",
  source: "the superclasses of Krizhevsky 2009; the question of Yang, Xie, Qiao, Yuille, AAAI 2019",
  unit: "fraction",
  digits: 2,
  columns: ["knowledge"],
  note: () =>
    "superclass share: of the score that is not on the best class, the part on classes of the label's superclass",
  needs: ["superclasses"],
  compute: ({ network, labels, superclasses }) =>
    meanOverImages(network, (i) => {
      const { values } = network.logits;
      const start = i * network.classes;
      const best = network.topClasses[i]!;
      const superclass = superclasses[labels[i]!]!;
      let second = Number.NEGATIVE_INFINITY;
      for (let c = 0; c < network.classes; c++)
        if (c !== best && values[start + c]! > second) second = values[start + c]!;
      // Where every other class is ruled out for good, none of the superclass has any score.
      if (second === Number.NEGATIVE_INFINITY) return 0;
      let [inside, all] = [0, 0];
      for (let c = 0; c < network.classes; c++) {
        if (c === best) continue;
        const weight = Math.exp(values[start + c]! - second);
        all += weight;
        if (superclasses[c] === superclass) inside += weight;
      }
      return inside / all;
    }),
});
