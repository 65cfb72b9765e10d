/** Checks the key `calibrate` of a study file. */
import { shorten, show } from "../recipe/index.js";
import type { CalibrateFile } from "./study-file.js";

interface Checks {
  /** The arms that are written in the file, those of a grid left out. */
  arms: Readonly<Record<string, unknown>>;
  /** Makes the error of a mistake at a key below `calibrate`. */
  wrong(keys: readonly string[], message: string): Error;
  /** Makes the recipe of an arm with changes, and throws what `wrong` makes of the message of one that cannot be. */
  resolve(arm: string, changes: Record<string, unknown>, wrong: (message: string) => Error): unknown;
}

/**
 * Checks what a study says of its calibration, so that no patriarch is trained for a range that cannot be tried.
 *
 * @throws the error that `wrong` makes
 */
export function checkCalibrate(calibrate: CalibrateFile, { arms, wrong, resolve }: Checks): void {
  const asked = Object.entries(calibrate.arms);
  const isArm = (name: string) => Object.hasOwn(arms, name);
  const foreign = [calibrate.like, ...asked.map(([arm]) => arm)].find((arm) => !isArm(arm));
  if (foreign !== undefined)
    throw wrong(
      [],
      `there is no arm ${show(foreign)} in \`arms\`, which has ${shorten(Object.keys(arms).join(", "), 1000)}`,
    );
  if (asked.length === 0)
    throw wrong(
      ["arms"],
      "there are none: name those whose patriarchs are made equally soft, or leave calibrate out",
    );
  if (Object.hasOwn(calibrate.arms, calibrate.like))
    throw wrong([], `${calibrate.like} cannot be made like itself`);
  const { seeds } = calibrate;
  const twice = seeds.find((seed, i) => seeds.indexOf(seed) !== i);
  if (twice !== undefined) throw wrong(["seeds"], `${twice} is given twice: leave the second one out`);
  for (const [arm, { key, range, start }] of asked) {
    const at = (last: string) => ["arms", arm, last];
    if (!/^patriarch\.\w/.test(key))
      throw wrong(
        at("key"),
        `must be an option of the patriarch, such as patriarch.epsilon, given ${show(key)}`,
      );
    const [least, greatest] = range;
    if (!(least < greatest))
      throw wrong(
        at("range"),
        `must be the least value and the greatest, in this order, given ${least} and ${greatest}`,
      );
    if (start !== undefined && !(start >= least && start <= greatest))
      throw wrong(at("start"), `must lie in the range from ${least} to ${greatest}, given ${start}`);
    for (const value of [start ?? (least + greatest) / 2, least, greatest])
      resolve(arm, { [key]: value }, (message) => wrong(at("range"), `${value} cannot be tried: ${message}`));
  }
}
