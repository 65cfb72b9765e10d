/**
 * The short list of what a state dict may name: PyTorch's tensors, storages and dtypes, and Python's dicts. Everything else
 * is refused by its name, before the pickle can do anything with it.
 */
import type { Meaning } from "../pickle/machine.js";
import { Dict, Foreign, List, Named, Tuple, type Value } from "../pickle/values.js";
import { checkedTensor, StorageRecord, type StorageType, TensorRecord } from "./records.js";

/** PyTorch's classes of storages. */
const storages = new Map<string, StorageType>([
  ["torch.FloatStorage", "float32"],
  ["torch.DoubleStorage", "float64"],
  ["torch.HalfStorage", "float16"],
  ["torch.BFloat16Storage", "bfloat16"],
  ["torch.LongStorage", "int64"],
  ["torch.IntStorage", "int32"],
  ["torch.ShortStorage", "int16"],
  ["torch.CharStorage", "int8"],
  ["torch.ByteStorage", "uint8"],
  ["torch.BoolStorage", "bool"],
]);

/** Functions and classes that state dicts call, and the plain data that come of them here. */
const callables = new Map<string, (args: readonly Value[]) => Value>([
  ["torch._utils._rebuild_tensor_v2", rebuildTensor],
  // The tensor itself: whether a gradient was wanted, and hooks, say nothing of the weights.
  ["torch._utils._rebuild_parameter", ([tensor]) => new Foreign(tensorIn(tensor))],
  ["collections.OrderedDict", ([pairs]) => dictOf(pairs)],
  ["collections.Counter", ([counts]) => (counts instanceof Dict ? counts : new Dict())],
  ["torch.Size", ([sizes]) => new Tuple(itemsOf(sizes))],
  ["torch.device", deviceOf],
]);

/** Names that stand in checkpoints as values of their own. */
const dtypes = new Set(
  ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"].map(
    (name) => `torch.${name}`,
  ),
);

/** What the names, calls and ids in a state dict's pickle mean. */
export const stateDictMeaning: Meaning = {
  named(name) {
    if (callables.has(name) || storages.has(name) || dtypes.has(name)) return new Named(name);
    if (/^torch\.\w{1,40}Storage$/.test(name))
      throw new Error(`has a ${name}, a type that Lyceum does not have`);
    throw new Error(
      `names ${shown(name)}, which no state dict needs: nothing was run, and the file is not read any further. If you ` +
        "trust it, load it in PyTorch and save the state dict alone: torch.save(model.state_dict(), file)",
    );
  },
  call({ name }, args) {
    const callable = callables.get(name);
    if (!callable) throw new Error(`calls ${name}, which is not to be called`);
    return callable(args);
  },
  persistent(id) {
    const [kind, type, key, , count] = id instanceof Tuple ? id.items : [];
    if (kind !== "storage" || !(type instanceof Named) || typeof key !== "string" || !isCount(count))
      throw new Error("refers to what is no storage");
    const element = storages.get(type.name);
    if (!element) throw new Error(`refers to a storage of ${type.name}, which is none`);
    return new Foreign(new StorageRecord(key, element, count));
  },
};

/** `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks)`. */
function rebuildTensor([storage, offset, sizes, strides]: readonly Value[]): Value {
  if (!(storage instanceof Foreign) || !(storage.value instanceof StorageRecord))
    throw new Error("makes a tensor of what is no storage");
  const numbers = (value: Value | undefined) => itemsOf(value).map((item) => Number(scalar(item)));
  return new Foreign(checkedTensor(storage.value, Number(scalar(offset)), numbers(sizes), numbers(strides)));
}

function tensorIn(value: Value | undefined): TensorRecord {
  if (value instanceof Foreign && value.value instanceof TensorRecord) return value.value;
  throw new Error("makes a parameter of what is no tensor");
}

/** An OrderedDict is made empty and then filled, or at once of pairs. */
function dictOf(pairs: Value | undefined): Dict {
  const items = pairs === undefined ? [] : itemsOf(pairs);
  return new Dict(
    new Map(
      items.map((pair) => {
        const [key, value, more] = itemsOf(pair);
        if (key === undefined || value === undefined || more !== undefined)
          throw new Error("makes a dict of what are no pairs");
        return [key, value] as const;
      }),
    ),
  );
}

/** A device as text: "cpu", or a kind and a number. */
function deviceOf([kind, index, more]: readonly Value[]): Value {
  const isKind = typeof kind === "string" && /^[a-z]{1,20}(:\d{1,4})?$/.test(kind);
  if (!isKind || (index !== undefined && !isCount(index)) || more !== undefined)
    throw new Error("names a device that is none");
  return index === undefined ? kind : `${kind}:${index}`;
}

function itemsOf(value: Value | undefined): readonly Value[] {
  if (value instanceof Tuple || value instanceof List) return value.items;
  throw new Error("has no list where one is needed");
}

function scalar(value: Value | undefined): number | bigint {
  if (typeof value === "number" || typeof value === "bigint") return value;
  throw new Error("has no number where one is needed");
}

function isCount(value: Value | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function shown(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}
