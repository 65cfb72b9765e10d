/**
 * Loads the packages that read and check what others wrote, each when it is first used. They take as long to load as all
 * of Lyceum's own code, and a program that trains by `torch` and `nn` needs none of them.
 */
import { createRequire } from "node:module";

const load = createRequire(import.meta.url);

export const yaml = (): typeof import("yaml") => load("yaml");
export const tarStream = (): typeof import("tar-stream") => load("tar-stream");
export const sharp = (): typeof import("sharp").default => load("sharp");
export const zod = (): typeof import("zod") => load("zod");

/** zod's own `z`, which definitions of options are given so that they need not import it. */
export type Z = ReturnType<typeof zod>["z"];

/** A schema that is made when it is first asked for, and kept. */
export function schema<T>(make: (z: Z) => T): () => T {
  let made: { schema: T } | undefined;
  return () => {
    made ??= { schema: make(zod().z) };
    return made.schema;
  };
}
