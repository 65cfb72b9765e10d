/**
 * The list of all metrics, in the order of columns. Terminal, report, summary.json and docs/metrics.md follow
 * it.
 */
import { ece } from "./metrics/ece.js";
import { entropy } from "./metrics/entropy.js";
import { meanSecondaryScore } from "./metrics/mean-secondary-score.js";
import { meanTopScore } from "./metrics/mean-top-score.js";
import { nll } from "./metrics/nll.js";
import { scoreByRank } from "./metrics/score-by-rank.js";
import { teacherAgreement } from "./metrics/teacher-agreement.js";
import { top1 } from "./metrics/top1.js";
import { top5 } from "./metrics/top5.js";

export const metrics = [
  top1,
  top5,
  nll,
  ece,
  meanTopScore,
  meanSecondaryScore,
  scoreByRank,
  entropy,
  teacherAgreement,
] as const;
