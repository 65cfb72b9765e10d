/** The calibration of a study, as it is kept beside its results: how strong each arm's patriarch is to be. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { schema } from "../packages.js";
import { parseJson, writeAtomic } from "../runs/index.js";
import type { Tried } from "./bisection.js";
import { type CalibrateFile, checkStudy, type Study, StudyError } from "./study-file.js";

/** What a calibration found for one arm. */
export interface Calibrated {
  /** The key whose value was found. */
  key: string;
  value: number;
  /** The measure of the patriarch at that value, the mean over the calibration's seeds. */
  measure: number;
  /** All values that were tried, with their measures. */
  tried: Tried[];
}

/** The result of a calibration, which is the content of calibration.json. */
export interface Calibration {
  /** What was made equal: the mean entropy in nats, or the mean top score. */
  by: CalibrateFile["by"];
  /** The arm whose patriarch the others are made like. */
  like: string;
  /** The measure of that arm's patriarch. */
  target: number;
  /** How far a measure may be from the target, as a fraction of it. */
  within: number;
  arms: Record<string, Calibrated>;
}

const calibrationSchema = schema((z) => {
  const number = z.number();
  const tried = z.array(z.object({ strength: number, value: number })).max(1000);
  return z.object({
    by: z.enum(["entropy", "topScore"]),
    like: z.string(),
    target: number,
    within: number,
    arms: z.record(z.string(), z.object({ key: z.string(), value: number, measure: number, tried })),
  });
});

const fileIn = (directory: string) => join(directory, "calibration.json");

/**
 * Reads the calibration of a study.
 *
 * @param directory the folder of the study's results
 * @returns undefined where there is none
 * @throws Error that names the file when it is damaged
 */
export async function readCalibration(directory: string): Promise<Calibration | undefined> {
  const path = fileIn(directory);
  if (!existsSync(path)) return undefined;
  return parseJson(await readFile(path, "utf8"), calibrationSchema(), path);
}

/** Writes the calibration of a study. */
export async function writeCalibration(directory: string, found: Calibration): Promise<void> {
  await writeAtomic(fileIn(directory), `${JSON.stringify(found, null, 2)}\n`);
}

/**
 * Sets the values that a calibration found in a study's arms.
 *
 * @param directory the folder of the study's results, where its calibration is
 * @returns the study as it is to be trained; the study itself where it asks for no calibration, or has none yet
 * @throws StudyError when the calibration is of other arms than the study asks for
 */
export async function calibrated(study: Study, directory: string): Promise<Study> {
  const { file, library } = study;
  const asked = file.calibrate;
  const found = asked && (await readCalibration(directory));
  if (!found) return study;
  const fits =
    found.like === asked.like &&
    found.by === asked.by &&
    Object.entries(asked.arms).every(([arm, { key }]) => found.arms[arm]?.key === key);
  if (!fits)
    throw new StudyError(
      `${fileIn(directory)}: is of other arms than the study's \`calibrate\`: remove it, and it is made anew`,
    );
  const arms = Object.fromEntries(
    Object.entries(file.arms).map(([arm, changes]) => {
      const one = Object.hasOwn(found.arms, arm) ? found.arms[arm] : undefined;
      return [arm, one ? { ...changes, [one.key]: one.value } : changes];
    }),
  );
  const { arms: set } = checkStudy({ ...file, arms }, { path: fileIn(directory), library });
  return { file, arms: set, library };
}
