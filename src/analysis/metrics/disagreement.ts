import { defineMetric, meanOverImages } from "../define.js";

export const disagreement = defineMetric({
  name: "disagreement",
  label: "disagreement",
  summary:
    "the diversity of an ensemble: the fraction of images for which two of its members have different best classes, mean over all pairs",
  formula: "2/(M(M − 1)) Σ_{m<n} 1/N Σᵢ [rank 1 of m ≠ rank 1 of n], m and n over the M members; 0 for M = 1",
  source: "the diversity of Fort, Hu, Lakshminarayanan, arXiv 1912.02757",
  unit: "fraction",
  digits: 2,
  columns: ["knowledge"],
  note: () => "disagreement: how often two members of an ensemble put different classes first",
  needs: ["members"],
  compute({ network, members }) {
    const pairs = (members.length * (members.length - 1)) / 2;
    if (pairs === 0) return 0;
    // The pairs that agree on an image are those within each group of members with one best class.
    const votes = new Int32Array(network.classes);
    return meanOverImages(network, (i) => {
      let agreeing = 0;
      for (const { topClasses } of members) agreeing += votes[topClasses[i]!]!++;
      for (const { topClasses } of members) votes[topClasses[i]!] = 0;
      return 1 - agreeing / pairs;
    });
  },
});
