/** The file progress.json of a training: where it stands, for whoever watches. */
import type { z } from "zod";
import { schema } from "../packages.js";
import { readBoundedText } from "../recipe/index.js";
import { writeAtomic } from "./atomic.js";
import type { Role } from "./types.js";

/** Where a training stands within an epoch. Accuracies are fractions. */
export interface LiveProgress {
  generation: number;
  role: Role;
  /** The number of the epoch under way, from 1 to `epochs`. */
  epoch: number;
  epochs: number;
  /** The steps done in this epoch. */
  step: number;
  stepsPerEpoch: number;
  /** The pace, averaged over the last few seconds. */
  imagesPerSecond: number;
  /** An estimate of the seconds until all generations are trained. */
  secondsLeft: number;
  /** The mean loss over the last fraction of a second, its terms by name, and the accuracy on these augmented images. */
  loss: number;
  terms: Record<string, number>;
  top1: number;
  /** The loss within the epoch: steps and the mean loss up to each since the one before. */
  curve: [step: number, loss: number][];
  /** The machine that trains. */
  machine: {
    host: string;
    /** Processes that are ready to run, the mean over the last minute. */
    load: number;
    cores: number;
    /** GiB of memory that the process holds. */
    residentGiB: number;
  };
  /** The time at which this was so, ISO 8601. */
  date: string;
}

/** The most points of a curve. */
export const MOST_POINTS = 400;
const MAX_BYTES = 256 * 1024;

const progressSchema = schema((z): z.ZodType<LiveProgress> => {
  const number = z.union([z.number(), z.null().transform(() => Number.NaN)]);
  const text = z.string().max(1000);
  const count = z.int().min(0);
  return z.object({
    generation: z.int().min(0).max(9999),
    role: z.enum(["patriarch", "student"]),
    epoch: count,
    epochs: count,
    step: count,
    stepsPerEpoch: count,
    imagesPerSecond: number,
    secondsLeft: number,
    loss: number,
    terms: z.record(text, number).refine((terms) => Object.keys(terms).length <= 100),
    top1: number,
    curve: z.array(z.tuple([count, number])).max(MOST_POINTS),
    machine: z.object({ host: text, load: number, cores: count, residentGiB: number }),
    date: text,
  });
});

/**
 * Writes the file, which appears whole or not at all. It is for watchers alone, so that nothing waits for the disk, and a disk
 * that fails is nobody's concern here: the promise never rejects.
 */
export async function writeProgress(path: string, progress: LiveProgress): Promise<void> {
  await writeAtomic(path, `${JSON.stringify(progress)}\n`, { durable: false }).catch(() => {});
}

/** Reads the file; undefined where there is none, or where it is not to be understood. */
export async function readProgress(path: string): Promise<LiveProgress | undefined> {
  try {
    return progressSchema().parse(JSON.parse(await readBoundedText(path, { maxBytes: MAX_BYTES })));
  } catch {
    return undefined;
  }
}
