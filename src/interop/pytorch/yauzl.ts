/**
 * Loads yauzl when it is first used. It stands here rather than among `packages.ts`, whose types a user's program sees: yauzl's are a
 * package of their own, which such a program does not have.
 */
import { createRequire } from "node:module";

const load = createRequire(import.meta.url);

export const yauzl = (): typeof import("yauzl") => load("yauzl");
