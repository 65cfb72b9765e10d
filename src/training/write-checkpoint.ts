/** How a checkpoint is written, by plain data alone, so that it can be done on a thread that has no libtorch. */
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Placed } from "../torch/safetensors/header.js";
import { readTensors } from "../torch/safetensors/read.js";
import type { TensorBytes } from "../torch/safetensors/save.js";
import { writeSafetensors } from "../torch/safetensors/write.js";

/** The files of a generation's checkpoint folder, the newer one first. */
export const checkpointFiles = (folder: string): [newest: string, previous: string] => [
  join(folder, "state.safetensors"),
  join(folder, "previous.safetensors"),
];

/** What the thread is asked to write. */
export interface CheckpointRequest {
  folder: string;
  content: TensorBytes;
  /** The tensors that must not hold NaN or infinity: those of the weights. */
  finite: readonly string[];
}

/** The error of a checkpoint that was not written, since weights in it are not finite. */
export class NotFinite extends Error {
  override name = "NotFinite";

  constructor(readonly tensor: string) {
    super(`${tensor} is not finite`);
  }
}

/**
 * Writes a checkpoint, reads it again, and only then gives it its name; the one that had the name until then is kept as the
 * one before.
 *
 * @throws NotFinite, Error when it cannot be written, or when what is read is not what was written; the checkpoints that
 *   are there stay as they are
 */
export function writeCheckpoint({ folder, content, finite }: CheckpointRequest): void {
  const { placed, data } = content;
  const bytesOf = ({ begin, end }: Placed) => new Uint8Array(data, begin, end - begin);
  const guarded = new Set(finite);
  const broken = placed.find((each) => guarded.has(each.name) && !allFinite(each, data));
  if (broken) throw new NotFinite(broken.name);
  const [newest, previous] = checkpointFiles(folder);
  writeSafetensors(newest, content, bytesOf, (temporary) => {
    readTensors(temporary);
    // Should the process die between the two renames, the one before is there.
    if (existsSync(newest)) renameSync(newest, previous);
  });
}

/** The bits of a floating-point number's exponent, which are all set in NaN and infinity. */
const exponents = { float32: 0x7f800000, float16: 0x7c00, bfloat16: 0x7f80 } as const;

function allFinite({ dtype, begin, end }: Placed, data: ArrayBuffer): boolean {
  if (dtype === "float64") return new Float64Array(data, begin, (end - begin) / 8).every(Number.isFinite);
  if (dtype !== "float32" && dtype !== "float16" && dtype !== "bfloat16") return true;
  const bits =
    dtype === "float32"
      ? new Uint32Array(data, begin, (end - begin) / 4)
      : new Uint16Array(data, begin, (end - begin) / 2);
  const exponent = exponents[dtype];
  // A loop, since `every` calls a function for each number.
  for (let i = 0; i < bits.length; i++) if ((bits[i]! & exponent) === exponent) return false;
  return true;
}
