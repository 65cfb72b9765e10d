/**
 * The list of all metrics, in the order of columns. Terminal, report, summary.json and docs/metrics.md follow
 * it.
 */
import { adaptiveEce } from "./metrics/adaptive-ece.js";
import { brier } from "./metrics/brier.js";
import { disagreement } from "./metrics/disagreement.js";
import { ece } from "./metrics/ece.js";
import { entropy } from "./metrics/entropy.js";
import { gainOverBest } from "./metrics/gain-over-best.js";
import { gainOverMean } from "./metrics/gain-over-mean.js";
import { meanSecondaryScore } from "./metrics/mean-secondary-score.js";
import { meanTopScore } from "./metrics/mean-top-score.js";
import { nll } from "./metrics/nll.js";
import { rankStability } from "./metrics/rank-stability.js";
import { reliability } from "./metrics/reliability.js";
import { scoreByRank } from "./metrics/score-by-rank.js";
import { secondaryMass } from "./metrics/secondary-mass.js";
import { superclassChance } from "./metrics/superclass-chance.js";
import { superclassShare } from "./metrics/superclass-share.js";
import { teacherAgreement } from "./metrics/teacher-agreement.js";
import { teacherKl } from "./metrics/teacher-kl.js";
import { top1 } from "./metrics/top1.js";
import { top5 } from "./metrics/top5.js";

export const metrics = [
  top1,
  top5,
  nll,
  brier,
  ece,
  adaptiveEce,
  reliability,
  meanTopScore,
  meanSecondaryScore,
  secondaryMass,
  scoreByRank,
  entropy,
  superclassShare,
  superclassChance,
  teacherAgreement,
  teacherKl,
  rankStability,
  disagreement,
  gainOverMean,
  gainOverBest,
] as const;
