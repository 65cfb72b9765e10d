/**
 * Loads the packages that read and check what others wrote, and the one for statistics, each when it is first used. They
 * take as long to load as all of Lyceum's own code, and a program that trains by `torch` and `nn` needs none of them.
 */
import { createRequire } from "node:module";

const load = createRequire(import.meta.url);

export const yaml = (): typeof import("yaml") => load("yaml");
export const tarStream = (): typeof import("tar-stream") => load("tar-stream");
export const sharp = (): typeof import("sharp").default => load("sharp");
export const jstat = (): Jstat => load("jstat");
export const resvg = (): typeof import("@resvg/resvg-js") => load("@resvg/resvg-js");
export const protobuf = (): typeof import("protobufjs/light.js") => load("protobufjs/light.js");
export const zod = (): typeof import("zod") => load("zod");

/** What is used of jstat, which has no types of its own. */
export interface Jstat {
  /** Student's t distribution. */
  studentt: { inv(p: number, freedom: number): number };
  /** The t distribution of a mean that is not 0. */
  noncentralt: { cdf(t: number, freedom: number, shift: number): number };
  normal: {
    cdf(x: number, mean: number, deviation: number): number;
    inv(p: number, mean: number, deviation: number): number;
  };
  /** The regularised incomplete beta function. */
  ibeta(x: number, a: number, b: number): number;
  /** The regularised lower incomplete gamma function. */
  lowRegGamma(a: number, x: number): number;
}

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
