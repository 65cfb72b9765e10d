import { defineMetric, meanOverImages } from "../define.js";

export const teacherKl = defineMetric({
  name: "teacherKl",
  label: "KL to teacher",
  summary: "the divergence of a student's scores from its teacher's: 0 where they are the same",
  formula: "1/N Σᵢ Σ_c qᵢ(c) (ln qᵢ(c) − ln pᵢ(c)), q the teacher's scores",
  source: "Kullback, Leibler 1951; as fidelity, Stanton, Izmailov, Kirichenko, Alemi, Wilson, NeurIPS 2021",
  unit: "nats",
  digits: 3,
  columns: ["knowledge"],
  note: () => "KL to teacher: the divergence of a student's scores from its teacher's",
  needs: ["teacher"],
  compute({ network, teacher }) {
    const scores = new Float64Array(teacher.classes);
    return meanOverImages(network, (i) => {
      teacher.scores(i, scores);
      let sum = 0;
      for (let c = 0; c < scores.length; c++) {
        // A score of 0 adds nothing, though its logarithm may be infinite.
        if (scores[c]! > 0) sum += scores[c]! * (teacher.logProbability(i, c) - network.logProbability(i, c));
      }
      return sum;
    });
  },
});
