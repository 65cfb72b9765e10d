/**
 * Scopes free the tensors that were made in them. A tensor made outside any scope is freed by a sweep, some time
 * after the garbage collector took its object (unscoped.ts).
 */
import { native } from "./native.js";
import { leaveToCollector, type WeakGroup } from "./unscoped.js";

/** A native handle that a scope or a sweep frees. */
export interface Owned {
  handle: number;
  owner: Scope | undefined;
  /** The tensors that the collector takes together with this one; only of those that no scope owns. */
  group: WeakGroup | undefined;
  /** The tensor that joined the group before this one. */
  older: Owned | undefined;
}

export interface Scope {
  readonly parent: Scope | undefined;
  readonly made: Owned[];
}

let current: Scope | undefined;

// The handles that a scope frees at its end, kept from one scope to the next: the bridge reads a typed array
// several times as fast as an array.
let dying = new Int32Array(256);

function giveTo(tensor: Owned, scope: Scope | undefined): void {
  tensor.owner = scope;
  if (scope) scope.made.push(tensor);
  else leaveToCollector(tensor);
}

/** Gives a new tensor to the innermost open scope, or to the garbage collector where none is open. */
export function track(tensor: Owned): void {
  giveTo(tensor, current);
}

/** Frees the tensor now; a second call does nothing. */
export function free(tensor: Owned): void {
  if (tensor.handle === 0) return;
  native.releaseOne(tensor.handle);
  tensor.handle = 0;
}

/** Takes a tensor out of its scope, so that it lives until it is disposed or collected. */
export function keep<T extends Owned>(tensor: T): T {
  if (tensor.owner && tensor.handle !== 0) giveTo(tensor, undefined);
  return tensor;
}

function isOwned(value: object): value is Owned {
  return "handle" in value && "owner" in value;
}

/** Hands every tensor that can be reached from a scope's result to the scope around that one. */
function handUp(value: unknown, from: Scope, seen: Set<object>): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || seen.has(value)) return;
  seen.add(value);
  if (isOwned(value)) {
    if (value.owner === from && value.handle !== 0) giveTo(value, from.parent);
    return;
  }
  const parts = value instanceof Map || value instanceof Set ? value.values() : Object.values(value);
  for (const part of parts) handUp(part, from, seen);
}

function close(scope: Scope): void {
  const { made } = scope;
  if (dying.length < made.length) dying = new Int32Array(2 * made.length);
  let count = 0;
  for (const tensor of made) {
    if (tensor.owner !== scope || tensor.handle === 0) continue;
    dying[count++] = tensor.handle;
    tensor.handle = 0;
  }
  if (count > 0) native.release(dying, count);
}

/**
 * Runs `body` and frees every tensor made in it, except those that can be reached from its result. Scopes nest,
 * and free when `body` throws.
 *
 * @throws TypeError when `body` is asynchronous: its tensors would be freed under it
 */
export function scope<T>(body: () => T): T {
  const mine: Scope = { parent: current, made: [] };
  current = mine;
  try {
    const result = body();
    if (result instanceof Promise) {
      result.catch(() => {});
      throw new TypeError("torch.scope takes a synchronous function: await first, then open a scope");
    }
    handUp(result, mine, new Set());
    return result;
  } finally {
    current = mine.parent;
    close(mine);
  }
}

/** Takes the handle out of a tensor: the object is disposed afterwards, and the memory belongs to the caller. */
export function takeHandle(tensor: Owned): number {
  const { handle } = tensor;
  if (handle !== 0 && !tensor.owner) native.takeFromCollector(handle);
  tensor.handle = 0;
  return handle;
}
