/** Readers of files from strangers, given damaged files. The package has no part of this folder. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { groundIn } from "./attempt.js";
import { hunt, soundSeeds } from "./hunt.js";
import { readers } from "./readers.js";

const seed = Number(process.env.LYCEUM_FUZZ_SEED ?? 20260801);
/** A few of each; `src/fuzz/long.test.ts` tries as many as one likes. */
const runs = 15;

it.each(readers.map((reader) => [reader.name, reader] as const))(
  `%s: damaged files are read or refused by name (LYCEUM_FUZZ_SEED=${seed})`,
  async (_, reader) => {
    const root = mkdtempSync(join(tmpdir(), "lyceum-fuzz-"));
    onTestFinished(() => rmSync(root, { recursive: true }));
    const ground = groundIn(root);
    vi.stubEnv("LYCEUM_DATA", join(ground.folder, "cache"));
    const { accepted, refused } = await hunt(reader, await soundSeeds(reader, ground), {
      seed,
      runs,
      ground,
    });
    expect(accepted + refused).toBe(runs);
  },
);
