/** The faults that `npm run faults` tries: a line here, and a file in kinds/. */
import type { Fault } from "./fault.js";
import { afterwards } from "./kinds/afterwards.js";
import { clock } from "./kinds/clock.js";
import { damagedCheckpoints, damagedFiles } from "./kinds/damaged-files.js";
import { failingWrites } from "./kinds/failing-writes.js";
import { folders } from "./kinds/folder.js";
import { images } from "./kinds/images.js";
import { kills, terms } from "./kinds/kills.js";
import { leftovers } from "./kinds/leftovers.js";
import { locks } from "./kinds/locks.js";
import { ranks } from "./kinds/ranks.js";
import { smallDisk } from "./kinds/small-disk.js";
import { studies } from "./kinds/studies.js";

/** Lists all faults. @param killCount how often jobs are killed; fewer with `--quick` unless it is asked for */
export const faultsOf = (killCount: { full: number; quick: number }): readonly Fault[] => [
  kills(killCount),
  terms,
  studies,
  ranks,
  ...afterwards,
  ...failingWrites,
  smallDisk,
  ...damagedFiles,
  damagedCheckpoints,
  locks,
  leftovers,
  clock,
  ...folders,
  images,
];
