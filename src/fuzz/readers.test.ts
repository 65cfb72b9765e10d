/** Readers of files from strangers, given damaged files. The package has no part of this folder. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { groundIn } from "./attempt.js";
import { hunt, soundSeeds } from "./hunt.js";
import { readers } from "./readers.js";

const seed = Number(process.env.LYCEUM_FUZZ_SEED ?? 20260801);

const quick = readers.filter(({ long }) => !long);

it.each(quick.map((reader) => [reader.name, reader] as const))(
  `%s: damaged files are read or refused by name (LYCEUM_FUZZ_SEED=${seed})`,
  async (_, reader) => {
    // A few of each, fewer where one takes long; long.test.ts tries as many as one likes.
    const runs = reader.slow ? 1 : 8;
    const root = mkdtempSync(join(tmpdir(), "lyceum-fuzz-"));
    onTestFinished(async () => {
      rmSync(root, { recursive: true });
      await reader.close?.();
    });
    const ground = groundIn(root);
    vi.stubEnv("LYCEUM_DATA", join(ground.folder, "cache"));
    const seeds = await soundSeeds(reader, ground, reader.slow ? 1 : 3);
    const { accepted, refused } = await hunt(reader, seeds, { seed, runs, ground });
    expect(accepted + refused).toBe(runs);
  },
);
