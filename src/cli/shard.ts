/** Which part of a study a command is to train: as it is told, or as a scheduler says. */
import type { Shard } from "../study/index.js";
import { UsageError } from "./errors.js";

/** As many parts as a study can be divided into on the command line. */
const MOST = 9999;

/**
 * Parses --shard.
 *
 * @param text "3/8", the third of eight parts; "auto", the part of this task of a Slurm array; or "auto/8", the part of this task of
 *   a Slurm array or of this pod of a Kubernetes Job, of which there must be eight
 * @param env the environment, in which schedulers say which of their tasks this is
 */
export function parseShard(text: string, env: NodeJS.ProcessEnv): Shard {
  const [, given, count] = /^(\d{1,4}|auto)(?:\/(\d{1,4}))?$/.exec(text) ?? [];
  const of = count === undefined ? undefined : Number(count);
  if (given === "auto" && of !== 0) return shardOfTask(of, env);
  const shard = Number(given);
  if (of !== undefined && shard >= 1 && shard <= of) return { shard, of };
  throw new UsageError(
    `--shard ${text}: must look like 3/8, the third of eight parts, or be auto, the part that a scheduler gives`,
  );
}

function shardOfTask(of: number | undefined, env: NodeJS.ProcessEnv): Shard {
  // Inside of a job of Slurm that itself runs in a pod, the array's index is the one that differs.
  if (env.SLURM_ARRAY_TASK_ID !== undefined) return shardOfArray(of, env);
  if (env.JOB_COMPLETION_INDEX === undefined)
    throw new UsageError(
      "--shard auto: this is no task of a Slurm array and no pod of an indexed Kubernetes Job (neither SLURM_ARRAY_TASK_ID nor " +
        "JOB_COMPLETION_INDEX is set). Another scheduler's index can be given as a number: --shard 3/8",
    );
  const index = wholeNumber("JOB_COMPLETION_INDEX", env);
  if (of === undefined)
    throw new UsageError(
      "--shard auto: Kubernetes does not tell a pod how many there are: give the Job's `completions`, as in --shard auto/8",
    );
  if (index >= of)
    throw new UsageError(
      `--shard auto/${of}: JOB_COMPLETION_INDEX is ${index}, so that the Job has more than ${of} completions: give their number`,
    );
  return { shard: index + 1, of };
}

/** The indices of an array need not begin at 0, nor be next to each other: `--array=10-30:5` has five of them. */
function shardOfArray(of: number | undefined, env: NodeJS.ProcessEnv): Shard {
  const [id, count, first, last] = (["ID", "COUNT", "MIN", "MAX"] as const).map((name) =>
    wholeNumber(`SLURM_ARRAY_TASK_${name}`, env),
  ) as [number, number, number, number];
  const step = env.SLURM_ARRAY_TASK_STEP === undefined ? 1 : wholeNumber("SLURM_ARRAY_TASK_STEP", env);
  const place = (id - first) / Math.max(1, step);
  if (last - first !== (count - 1) * step || !Number.isInteger(place) || place < 0 || place >= count)
    throw new UsageError(
      `--shard auto: the array's ${count} indices from ${first} to ${last} have gaps, so that their order is not known: submit ` +
        `it as a range, such as --array=1-${count}, or give each task its part, as in --shard $SLURM_ARRAY_TASK_ID/8`,
    );
  if (of !== undefined && of !== count)
    throw new UsageError(
      `--shard auto/${of}: the array has ${count} tasks, not ${of}: leave the number out, or give each task its part, as in ` +
        `--shard $SLURM_ARRAY_TASK_ID/${of}`,
    );
  if (count > MOST) throw new UsageError(`--shard auto: an array of ${count} tasks has more than ${MOST}`);
  return { shard: place + 1, of: count };
}

function wholeNumber(name: string, env: NodeJS.ProcessEnv): number {
  const text = env[name] ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(
    `--shard auto: ${name} must be a whole number, and is ${text === "" ? "not set" : text}`,
  );
}
