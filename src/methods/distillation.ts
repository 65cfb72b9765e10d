import { studentLoss } from "../losses/index.js";
import { defineMethod } from "./define.js";
import {
  checkWeights,
  settledWeights,
  studentInWords,
  studentOptions,
  temperatureSchema,
  weightsAt,
} from "./student.js";

/**
 * The method of a student that learns from the generation before it (Yang et al. 2019; loss of Hinton et al.
 * 2015).
 */
export const distillation = defineMethod({
  name: "distillation",
  summary: "Cross-entropy with the labels, and the divergence from the generation before (Yang et al. 2019).",
  formula: "hardWeight · CE + softWeight · T² · KL(teacher ‖ student)",
  source:
    "Yang et al. 2019 (arXiv:1805.05551); Hinton et al. 2015 (arXiv:1503.02531); teacherTemperature: Zheng & Yang 2024 (arXiv:2402.11148)",
  terms: { hard: "labels (cross-entropy)", soft: "teacher (KL divergence)" },
  options: (z) => ({
    ...studentOptions(z),
    teacherTemperature: temperatureSchema(z)
      .exactOptional()
      .describe(
        "Divides the teacher's logits alone, which softens its scores while the student's stay as they are, and the KL term " +
          "is multiplied by nothing; given instead of temperature. Default: 1.",
      ),
  }),
  teachers: (generation) => [generation - 1],
  at: weightsAt,
  loss: ({ logits, labels, teachers }, { teacherTemperature, temperature, ...weights }) => {
    const teacher = teacherTemperature === undefined ? teachers[0]! : teachers[0]!.div(teacherTemperature);
    return studentLoss(logits, labels, teacher, { ...settledWeights(weights), temperature });
  },
  check: (options) =>
    options.teacherTemperature !== undefined && options.temperature !== 1
      ? [{ message: "give temperature or teacherTemperature, not both: the one softens both networks" }]
      : checkWeights(options),
  describe: ({ teacherTemperature, ...options }) =>
    teacherTemperature === undefined
      ? studentInWords(options)
      : studentInWords({ ...options, temperature: teacherTemperature }).concat(" (the teacher's alone)"),
});
