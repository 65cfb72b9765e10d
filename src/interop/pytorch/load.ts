import * as torch from "../../torch/index.js";
import { unpickle } from "../pickle/unpickle.js";
import { Archive } from "./archive.js";
import { Elements } from "./elements.js";
import { type FoundState, findState } from "./find-state.js";
import { stateDictMeaning } from "./meaning.js";
import { type TensorRecord, widths } from "./records.js";

/** The tensors of a file that torch.save wrote. */
export interface PyTorchState {
  /** By name, on the CPU, contiguous; int16 and int8 as int32. A null-prototype object; the caller disposes of them. */
  tensors: Record<string, torch.Tensor>;
  /** Sentences on what was left out or renamed, for people. */
  notes: string[];
}

/** How much larger than its file all tensors together may be: tensors may share a storage. */
const MOST_GROWTH = 4;

/**
 * Reads a state dict that torch.save has written (PyTorch 1.6 or newer, protocols 2 to 5), or a checkpoint that holds one.
 * Nothing in the file is run, whatever it asks for. Memory is bounded by a small multiple of the file's size.
 *
 * @throws Error that names the file and what is wrong: it is no such file, it names a function that no state dict needs,
 *   its entries are compressed, doubled, damaged or lie elsewhere, or a tensor is out of its storage's range
 */
export async function loadPyTorch(path: string): Promise<PyTorchState> {
  try {
    await using archive = await Archive.open(path);
    const root = rootOf(archive);
    await checkByteOrder(archive, root);
    const found = findState(unpickle(await archive.read(`${root}/data.pkl`), stateDictMeaning));
    checkSizes(archive, root, found);
    return { tensors: await readTensors(archive, root, found), notes: found.notes };
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(message.startsWith(`${path}: `) ? message : `${path}: ${message}`, { cause });
  }
}

/** The archive's one folder, which torch.save names after the file. */
function rootOf(archive: Archive): string {
  const roots = archive.names.flatMap((name) => /^([^/]+)\/data\.pkl$/.exec(name)?.[1] ?? []);
  if (archive.names.some((name) => /^[^/]+\/constants\.pkl$/.test(name))) {
    throw new Error(
      "is a TorchScript archive, a program: save the state dict alone in PyTorch, " +
        "torch.save(torch.jit.load(file).state_dict(), file)",
    );
  }
  if (roots.length !== 1)
    throw new Error("is a zip file, but none that torch.save wrote: it has not one data.pkl in a folder");
  return roots[0]!;
}

async function checkByteOrder(archive: Archive, root: string): Promise<void> {
  const name = `${root}/byteorder`;
  // PyTorch before 2.1 says nothing of the order.
  if (archive.sizeOf(name) === undefined) return;
  const order = archive.sizeOf(name)! < 16 ? Buffer.from(await archive.read(name)).toString("latin1") : "?";
  if (order !== "little")
    throw new Error(
      `its numbers are in the byte order ${JSON.stringify(order)}, where only "little" can be read`,
    );
}

/** Checks, before any numbers are read, that the storages are there and hold what their tensors need. */
function checkSizes(archive: Archive, root: string, { tensors }: FoundState): void {
  let total = 0;
  for (const [name, tensor] of tensors) {
    const { key, type, count } = tensor.storage;
    const size = archive.sizeOf(`${root}/data/${key}`);
    const quoted = JSON.stringify(name.slice(0, 200));
    if (size === undefined)
      throw new Error(
        `tensor ${quoted}: its storage ${JSON.stringify(key.slice(0, 100))} is not in the archive`,
      );
    if (size !== count * widths[type]) {
      throw new Error(
        `tensor ${quoted}: its storage ${JSON.stringify(key)} has ${size} bytes, where ${count} of ${type} take ${count * widths[type]}`,
      );
    }
    total += tensor.bytes;
    if (total > MOST_GROWTH * archive.size)
      throw new Error(`its tensors take more than ${MOST_GROWTH} times the bytes of the file`);
  }
}

async function readTensors(
  archive: Archive,
  root: string,
  { tensors }: FoundState,
): Promise<Record<string, torch.Tensor>> {
  const byStorage = new Map<string, [string, TensorRecord][]>();
  for (const entry of tensors) {
    const { key } = entry[1].storage;
    const sharing = byStorage.get(key);
    if (sharing) sharing.push(entry);
    else byStorage.set(key, [entry]);
  }
  const made: Record<string, torch.Tensor> = Object.create(null);
  try {
    for (const [key, sharing] of byStorage) {
      const bytes = await archive.read(`${root}/data/${key}`);
      torch.scope(() => {
        const elements = new Elements(bytes);
        for (const [name, record] of sharing) made[name] = torch.keep(elements.tensorOf(record));
      });
    }
    // In the order of the file, which is that of the network's layers.
    const ordered: Record<string, torch.Tensor> = Object.create(null);
    for (const name of tensors.keys()) ordered[name] = made[name]!;
    return ordered;
  } catch (error) {
    for (const tensor of Object.values(made)) tensor.dispose();
    throw error;
  }
}
