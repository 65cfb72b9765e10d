import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import * as torch from "../torch/index.js";
import { withPresentNames } from "./names/old-densenet.js";
import { fromTimm, timmTableOf, withCounts } from "./names/rename.js";
import { loadPyTorch } from "./pytorch/load.js";

/** The tensors of a weights file of any format that can be read. */
export interface WeightsFile extends Disposable {
  format: "safetensors" | "pytorch";
  /** By name, on the CPU. A null-prototype object. Disposing of the file frees them. */
  tensors: Record<string, torch.Tensor>;
  /** What a safetensors file says beside its tensors; empty for a file of PyTorch's. */
  metadata: Record<string, string>;
  /** Sentences on what was left out or renamed, for people. */
  notes: string[];
}

/**
 * Reads a safetensors file, or a state dict that torch.save has written (`.pt`, `.pth`, `.bin`). The format is found by the
 * content, not by the name. Files may come from anyone: nothing in them is run, and everything is checked.
 *
 * @throws Error that names the file and what is wrong with it, and for formats that cannot be read the remedy
 */
export async function readWeightsFile(path: string): Promise<WeightsFile> {
  const format = formatOf(path);
  const read = format === "pytorch" ? await loadPyTorch(path) : torch.loadSafetensors(path);
  const file: WeightsFile = {
    format,
    metadata: {},
    notes: [],
    ...read,
    [Symbol.dispose]: () => {
      for (const tensor of Object.values(file.tensors)) tensor.dispose();
    },
  };
  return file;
}

/**
 * Gives a file's tensors the names that torchvision has for them, where timm's names or those of its own older DenseNets are
 * recognised, and adds counts of batches that are missing. The file's notes say so.
 */
export function nameAsTorchvision(file: WeightsFile): void {
  const before = file.tensors;
  const table = timmTableOf(Object.keys(before));
  file.tensors = torch.scope(() => withCounts(table ? fromTimm(before, table) : withPresentNames(before)));
  if (!Object.keys(before).every((name) => table || Object.hasOwn(file.tensors, name)))
    file.notes.push("its names are those of torchvision's older DenseNets; they are read as those of today");
  if (!table) return;
  file.notes.push(`its names are timm's (${table.family}); they are read as torchvision's`);
  const kept = new Set(Object.values(file.tensors));
  for (const tensor of Object.values(before)) if (!kept.has(tensor)) tensor.dispose();
}

/** The first opcodes of a file that PyTorch before 1.6 wrote: protocol 2, and its magic number of ten bytes. */
const legacy = Buffer.from("80028a0a6cfc9c46f9206aa85019", "hex");
const rewrite =
  "load it in PyTorch and write it anew: torch.save(torch.load(file, map_location='cpu'), file)";

function formatOf(path: string): WeightsFile["format"] {
  const start = readStart(path, 512);
  // The length of a safetensors file's header comes first, and may look like the beginning of anything; its JSON follows.
  if (start.length > 8 && start[8] === 0x7b && Number(start.readBigUInt64LE(0)) + 8 <= statSync(path).size)
    return "safetensors";
  if (start.subarray(0, 2).toString("latin1") === "PK") return "pytorch";
  if (start.subarray(0, legacy.length).equals(legacy))
    throw new Error(`${path}: is in the format of PyTorch before 1.6, which cannot be read here: ${rewrite}`);
  if (start.subarray(257, 262).toString("latin1") === "ustar")
    throw new Error(
      `${path}: is a tar archive, the format of PyTorch before 0.2, which cannot be read here: ${rewrite}`,
    );
  if (start[0] === 0x80 && start[1]! <= 5)
    throw new Error(`${path}: is a bare pickle, no file of torch.save's: ${rewrite}`);
  return "safetensors";
}

/** The first bytes of a regular file, fewer where it is shorter. */
function readStart(path: string, length: number): Buffer {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    throw new Error(`${path}: there is no such file`, { cause });
  }
  try {
    if (!fstatSync(file).isFile()) throw new Error(`${path}: is no regular file`);
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}
