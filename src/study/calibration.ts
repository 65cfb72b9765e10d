/** The calibration of a study, as it is kept beside its results: how strong each arm's patriarch is to be. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { schema } from "../packages.js";
import { readBoundedText } from "../recipe/index.js";
import { parseJson, sha256Of, writeAtomic } from "../runs/index.js";
import type { Tried } from "./bisection.js";
import { fingerprintLine } from "./fingerprint.js";
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
  /** A SHA-256 of what the patriarchs were, their strengths left out; left out by earlier versions. */
  of?: string;
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
    of: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .exactOptional(),
  });
});

const fileIn = (directory: string) => join(directory, "calibration.json");

/**
 * Reads the calibration of a study.
 *
 * @param directory the folder of the study's results
 * @returns undefined where there is none
 * @throws Error that names the file and the remedy when it is damaged
 */
export async function readCalibration(directory: string): Promise<Calibration | undefined> {
  const path = fileIn(directory);
  if (!existsSync(path)) return undefined;
  const text = await readBoundedText(path, { maxBytes: MAX_BYTES });
  try {
    return parseJson(text, calibrationSchema(), path);
  } catch (error) {
    throw new Error(`${(error as Error).message}. Put the file back as it was committed, or ${remedy}`);
  }
}

/** What can be done about a calibration that cannot be used. */
const remedy =
  "remove it: it is made anew from what its folder `calibration` holds, and only what is missing there is trained";
const MAX_BYTES = 1024 * 1024;

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
  const path = fileIn(directory);
  const wrong = (what: string) => new StudyError(`${path}: ${what}: ${remedy}`);
  const own = (arm: string) => (Object.hasOwn(found.arms, arm) ? found.arms[arm] : undefined);
  const fits =
    found.like === asked.like &&
    found.by === asked.by &&
    Object.entries(asked.arms).every(([arm, { key }]) => own(arm)?.key === key);
  if (!fits) throw wrong("is of other arms than the study's `calibrate`");
  if (found.of !== undefined && found.of !== calibrationOf(study))
    throw wrong("was made for patriarchs that the study has changed since");
  const arms = { ...file.arms };
  for (const [arm, { key, range }] of Object.entries(asked.arms)) {
    const { value, measure } = own(arm)!;
    if (!(value >= range[0] && value <= range[1]))
      throw wrong(`its ${key} of ${arm}, ${value}, is not in the range from ${range[0]} to ${range[1]}`);
    if (!(Math.abs(measure - found.target) <= asked.within * Math.abs(found.target)))
      throw wrong(`its ${arm} is not within ${asked.within} of the target, as the study asks`);
    arms[arm] = { ...arms[arm], [key]: value };
  }
  const { arms: set } = checkStudy({ ...file, arms }, { path, library });
  return { file, arms: set, library };
}

/**
 * Computes a SHA-256 of all that decides what a calibration finds, the range and the tolerance left out: the
 * patriarchs, their seeds and epochs, and what is made equal.
 */
export function calibrationOf({ file, arms, library }: Study): string {
  const { like, by, seeds, epochs, arms: asked } = file.calibrate!;
  const patriarchs = [like, ...Object.keys(asked)].map((name) => {
    const { recipe } = arms.find((arm) => arm.name === name)!;
    const alone = { ...recipe, generations: 1, ...(epochs !== undefined && { epochs }) };
    const { decides } = fingerprintLine(alone, library)[0]!;
    const { options, ...method } = decides.method;
    const key = Object.hasOwn(asked, name) ? asked[name]!.key : "";
    // The strength itself is what is looked for, and is another one once it was found.
    const others = Object.entries(options).filter(([option]) => `patriarch.${option}` !== key);
    return [name, key, { ...decides, method: { ...method, options: Object.fromEntries(others) } }];
  });
  return sha256Of([by, seeds, patriarchs]);
}
