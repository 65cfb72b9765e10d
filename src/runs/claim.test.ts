import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { claimRunDirectory, isRunName } from "./claim.js";

test("gives each a folder of its own", async () => {
  const root = join(mkdtempSync(join(tmpdir(), "lyceum-claim-")), "runs");
  const claims = await Promise.all([1, 2, 3].map(() => claimRunDirectory(root, "quick")));
  expect(claims.sort()).toEqual(["quick", "quick-2", "quick-3"].map((name) => join(root, name)));
});

test("a file in the way is as good as a folder", async () => {
  const root = mkdtempSync(join(tmpdir(), "lyceum-claim-"));
  writeFileSync(join(root, "quick"), "");
  expect(await claimRunDirectory(root, "quick")).toBe(join(root, "quick-2"));
});

test("a name is one plain folder name", () => {
  expect(["a", "resnet20-k5_p0.8", "x+y"].every(isRunName)).toBe(true);
  expect(["", ".", "..", "../a", "a/b", ".hidden", "-x", "a b", "x".repeat(101)].some(isRunName)).toBe(false);
});
