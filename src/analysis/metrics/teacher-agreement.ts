import { defineMetric, meanOverImages } from "../define.js";

export const teacherAgreement = defineMetric({
  name: "teacherAgreement",
  label: "agreement",
  summary: "the fraction of images for which a student and its teacher have the same best class",
  formula: "1/N Σᵢ [rank 1 of the student = rank 1 of its teacher]",
  source: "the fidelity of Stanton, Izmailov, Kirichenko, Alemi, Wilson, NeurIPS 2021",
  unit: "fraction",
  digits: 2,
  columns: ["terminal", "report"],
  note: () => "agreement: how often a student and its teacher put the same class first",
  needs: ["teacher"],
  compute: ({ network, teacher }) =>
    meanOverImages(network, (i) => Number(network.topClasses[i] === teacher.topClasses[i])),
});
