/** Calls operators by id or by name, and turns tensors into handles and back. */
import type { Generator } from "./generator.js";
import { native, type OperatorInfo } from "./native.js";
import { needsFinite, refusalOf } from "./refused.js";
import type { Tensor } from "./tensor.js";
import { withoutSweeping } from "./unscoped.js";

// The class registers itself: generated methods are its base and cannot import it.
let make: (handle: number) => Tensor;
let isTensor: (value: unknown) => value is Tensor;

/** @internal tensor.ts calls it once. */
export function setTensorClass(TensorClass: new (handle: number) => Tensor): void {
  make = (handle) => new TensorClass(handle);
  isTensor = (value): value is Tensor => value instanceof TensorClass;
}

/** Stands for a value that is no tensor: the bridge refuses it with an error that names operator and argument. */
const foreign = -1;

/** The handle of a tensor; undefined stays undefined. */
export function h(value: Tensor | null | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  return isTensor(value) ? value.handle : foreign;
}

/** More tensors than any call takes. A longer list is left to the bridge, which refuses it; map would walk its holes. */
const longestList = 1_000_000;

/** The handles of a list of tensors; what is no list is passed on for the bridge to refuse. */
export function hs(values: readonly (Tensor | null | undefined)[]): (number | undefined)[] {
  const list = Array.isArray(values) && values.length <= longestList;
  return list ? withoutSweeping(() => values.map(h)) : (values as unknown as undefined[]);
}

/** The handle of a generator. */
export function g(value: Generator | undefined): number | undefined {
  return value?.generatorHandle;
}

/** Makes a tensor of a handle, which it takes over. */
export function wrap(handle: number): Tensor {
  return make(handle);
}

/** Makes a tensor of a result that libtorch may leave undefined. */
export function wrapOptional(handle: number): Tensor | undefined {
  return handle === 0 ? undefined : make(handle);
}

export function wrapAll(handles: number[]): Tensor[] {
  return handles.map(make);
}

/**
 * Looks an operator's id up for generated code, which keeps it.
 *
 * @returns an id that no operator has when libtorch lacks this one; calling it throws
 */
export function operator(name: string, overload: string): number {
  return native.resolve(name, overload);
}

interface Resolved {
  id: number;
  info: OperatorInfo;
  refusal: string | undefined;
  finite: boolean;
}

const resolved = new Map<string, Resolved>();

function find(name: string): Resolved {
  if (typeof name !== "string") throw new TypeError("an operator's name must be text");
  const known = resolved.get(name);
  if (known) return known;
  const dot = name.indexOf(".");
  const [base, overload] = dot < 0 ? [name, ""] : [name.slice(0, dot), name.slice(dot + 1)];
  const id = native.resolve(base, overload);
  if (id < 0) throw new Error(missing(name, base));
  const found = { id, info: native.schema(id), refusal: refusalOf(base), finite: needsFinite(base) };
  resolved.set(name, found);
  return found;
}

/** Whether the libtorch that is loaded, or Lyceum's addon on it, has the operator. */
export function hasOperator(name: string): boolean {
  const [base = "", overload = ""] = name.split(".");
  return native.resolve(base, overload) >= 0;
}

function missing(name: string, base: string): string {
  const near = native.operators().filter((other) => other === base || other.startsWith(`${base}.`));
  const hint = near.length > 0 ? `; it has ${near.join(", ")}` : '; names look like "aten::add.Tensor"';
  return `libtorch ${native.version()} has no operator ${name}${hint}`;
}

function lower(value: unknown, type: string): unknown {
  if (type.startsWith("Tensor")) {
    if (type.startsWith("Tensor[]") || type.startsWith("Tensor?[]")) return hs(value as Tensor[]);
    return h(value as Tensor);
  }
  if (type.startsWith("Generator")) return g(value as Generator);
  return value;
}

// biome-ignore lint/suspicious/noExplicitAny: the operator's schema decides
function lift(result: any, { info }: Resolved, args: readonly unknown[]): any {
  if (info.returnsArguments) {
    const written = args.filter((_, i) => info.parameters[i]?.written);
    return written.length === 1 ? written[0] : written;
  }
  const one = (value: unknown, type: string) => {
    if (type === "Tensor[]") return wrapAll(value as number[]);
    return type.startsWith("Tensor") ? wrapOptional(value as number) : value;
  };
  if (info.results.length === 1) return one(result, info.results[0]!);
  return info.results.map((type, i) => one(result?.[i], type));
}

function prepare(name: string, args: readonly unknown[]): [Resolved, unknown[]] {
  const found = find(name);
  if (found.refusal) throw new Error(`${name} is not offered: ${found.refusal}`);
  if (found.finite) checkFinite(name, args);
  return [found, args.map((value, i) => lower(value, found.info.parameters[i]?.type ?? ""))];
}

function checkFinite(name: string, args: readonly unknown[]): void {
  for (const value of args) {
    if (!isTensor(value)) continue;
    const finite = native.call(find("aten::isfinite").id, value.handle);
    const all = native.call(find("aten::all").id, finite);
    const answer = native.call(find("aten::item").id, all);
    native.releaseOne(finite);
    native.releaseOne(all);
    if (!answer) throw new RangeError(`${name}: all values must be finite`);
  }
}

/**
 * Calls any operator of libtorch by its full name, such as `torch.op("aten::add.Tensor", a, b)`.
 *
 * Arguments stand in the schema's order, keyword-only ones too; undefined takes the default. An operator that
 * writes to an argument returns that argument.
 *
 * @throws Error when there is no such operator, or it fails; TypeError when an argument is of the wrong kind
 */
// biome-ignore lint/suspicious/noExplicitAny: the operator's schema decides
export function op(name: string, ...args: unknown[]): any {
  const [found, lowered] = prepare(name, args);
  return lift(native.call(found.id, ...lowered), found, args);
}

/**
 * As {@link op}, on a background thread and without recording gradients. Until the promise settles, operators that
 * write to the tensors it reads throw.
 *
 * @throws also when the operator writes to its arguments
 */
// biome-ignore lint/suspicious/noExplicitAny: the operator's schema decides
export async function opAsync(name: string, ...args: unknown[]): Promise<any> {
  const [found, lowered] = prepare(name, args);
  return lift(await native.callAsync(found.id, ...lowered), found, args);
}

/** An operator's schema. @throws Error when there is no such operator */
export function schemaOf(name: string): OperatorInfo {
  return find(name).info;
}

/** Every operator that the dispatcher knows, as `aten::add.Tensor`. */
export function operatorNames(): string[] {
  return native.operators();
}
