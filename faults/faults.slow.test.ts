/** The short form of `npm run faults`: one fault of each of the main kinds, by the built command line. */
import { existsSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { faultsOf } from "./faults.js";
import { packageFile } from "./package-file.js";
import { linesOf } from "./table.js";
import { tryFaults } from "./try-faults.js";
import { Workplace } from "./workplace.js";

const place = new Workplace();
afterAll(() => place[Symbol.dispose]());

const chosen = [
  "SIGKILL at a random moment",
  "the disk is full",
  "a bit turned over in weights",
  "logits cut off",
  "what a transfer had found is damaged",
];

test("kills, a full disk and damaged files cost no bit (needs dist, which setup builds)", async () => {
  expect(existsSync(packageFile("dist/cli/main.js"))).toBe(true);
  const faults = faultsOf({ full: 2, quick: 2 })
    .filter(({ name }) => chosen.includes(name))
    .map((fault) => ({ ...fault, tries: { full: 1, quick: fault.name.startsWith("SIGKILL") ? 2 : 1 } }));
  expect(faults).toHaveLength(chosen.length);
  const problems: string[] = [];
  const rows = await tryFaults(faults, place, {
    quick: true,
    seed: Math.floor(Math.random() * 2 ** 31),
    atOnce: 2,
    onRow: (_, found) => problems.push(...found),
  });
  expect(problems).toEqual([]);
  expect(linesOf(rows).slice(1).join("\n")).not.toContain("NO");
}, 600_000);
