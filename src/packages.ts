/**
 * Packages that read and check what others wrote. They take as long to load as all of Lyceum's own code, and a program
 * that trains by `torch` and `nn` needs none of them: each is loaded when it is first used.
 */
import { createRequire } from "node:module";

const load = createRequire(import.meta.url);

export const yaml = (): typeof import("yaml") => load("yaml");
export const tarStream = (): typeof import("tar-stream") => load("tar-stream");
export const sharp = (): typeof import("sharp").default => load("sharp");
export const zod = (): typeof import("zod") => load("zod");

/** zod's builder of schemas, which definitions are handed. */
export type Z = (typeof import("zod"))["z"];

/** A schema that is made, once, when it is first asked for. */
export function schema<T>(make: (z: Z) => T): () => T {
  let made: { schema: T } | undefined;
  return () => {
    made ??= { schema: make(zod().z) };
    return made.schema;
  };
}
