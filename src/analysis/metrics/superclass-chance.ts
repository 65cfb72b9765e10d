import { defineMetric, meanOverImages } from "../define.js";

export const superclassChance = defineMetric({
  name: "superclassChance",
  label: "by chance",
  summary:
    "what superclassShare would be if the score that is not on the best class fell on the other classes by chance",
  formula: "1/N Σᵢ (classes in the superclass of yᵢ but the one of rank 1) / (C − 1)",
  unit: "fraction",
  digits: 2,
  columns: ["knowledge"],
  note: () => "by chance: the superclass share if that score were on other classes drawn by lot",
  needs: ["superclasses"],
  compute({ network, labels, superclasses }) {
    const sizes = new Map<number, number>();
    for (let c = 0; c < network.classes; c++)
      sizes.set(superclasses[c]!, (sizes.get(superclasses[c]!) ?? 0) + 1);
    return meanOverImages(network, (i) => {
      const superclass = superclasses[labels[i]!]!;
      const holdsBest = superclasses[network.topClasses[i]!] === superclass;
      return (sizes.get(superclass)! - Number(holdsBest)) / (network.classes - 1);
    });
  },
});
