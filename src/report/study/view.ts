import type { ArmResult, PairedDifference, StudyResult } from "../../study/index.js";
import { imagesOf } from "./outcomes.js";
import { type Series, seriesOf } from "./series.js";
import { shownArms } from "./shown-arms.js";

/** What the figures of a study are made of. */
export interface StudyView {
  study: StudyResult;
  /** The arms that charts show, with their colours. */
  arms: (ArmResult & Series)[];
  differences: readonly PairedDifference[];
  /** Names the accuracy that the study is about: "test accuracy". */
  accuracy: string;
  /** Names the images that it is measured on: "test images". */
  images: string;
}

/** Gathers what figures need, once for all of them. */
export function viewOf(study: StudyResult, differences: readonly PairedDifference[]): StudyView {
  const shown = shownArms(study);
  const series = seriesOf({ ...study, arms: shown });
  return {
    study,
    arms: shown.map((arm, i) => ({ ...arm, ...series[i]! })),
    differences,
    accuracy: study.part === "test" ? "test accuracy" : "held-out accuracy",
    images: imagesOf(study),
  };
}
