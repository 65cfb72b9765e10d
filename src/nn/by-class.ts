/**
 * Which modules are known to compute what their class says.
 *
 * Fused operators compute whole groups of layers without calling their `forward`. That is right only where each `forward`
 * is the one that its class was written with: a subclass, an instance whose `forward` was replaced (to watch it, say), or
 * a class whose prototype was changed later is none of these, and is called layer by layer.
 */
import type { Module } from "./module.js";

type ClassOf<M extends Module> = abstract new (...given: never[]) => M;

interface Known {
  forward: Module["forward"];
  /** The parts of a module that applies them one after another and does nothing else. */
  parts: ((module: Module) => readonly Module[]) | undefined;
}

const known = new Map<object, Known>();

/** Notes a class's own `forward`. To be called once, where the class is defined. */
export function remember<M extends Module>(
  Class: ClassOf<M>,
  parts?: (module: M) => readonly Module[],
): void {
  const { forward } = Class.prototype as M;
  known.set(Class.prototype as object, { forward, parts: parts as Known["parts"] });
}

/** Whether the module's `forward` is the one that the class was written with; subclasses may inherit it. */
export function hasForwardOf<M extends Module>(module: Module, Class: ClassOf<M>): module is M {
  return module instanceof Class && module.forward === known.get(Class.prototype as object)?.forward;
}

/** Whether the module is of this very class, no subclass, with its own `forward`. */
export function isExactly<M extends Module>(module: unknown, Class: ClassOf<M>): module is M {
  const isOne =
    typeof module === "object" && module !== null && Object.getPrototypeOf(module) === Class.prototype;
  return isOne && hasForwardOf(module as Module, Class);
}

/** What the module applies one after another, if that is all that it does. */
export function partsOf(module: Module): readonly Module[] | undefined {
  for (let type = Object.getPrototypeOf(module); type; type = Object.getPrototypeOf(type)) {
    const found = known.get(type);
    if (found) return found.parts && module.forward === found.forward ? found.parts(module) : undefined;
  }
  return undefined;
}
