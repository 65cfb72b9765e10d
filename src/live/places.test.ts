import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { findPlaces } from "./places.js";

const folder = mkdtempSync(join(tmpdir(), "lyceum-places-"));
afterAll(() => rmSync(folder, { recursive: true }));

function make(path: string, ...files: string[]): void {
  mkdirSync(join(folder, path), { recursive: true });
  for (const file of files) writeFileSync(join(folder, path, file), "");
}

it("finds runs and studies, by the paths that a person would type", async () => {
  make("runs/a", "recipe.yaml");
  make("runs/deep/b", "summary.json");
  make("runs/a/generation-0", "summary.json");
  make("runs/node_modules/c", "recipe.yaml");
  make("runs/.hidden/d", "recipe.yaml");
  make("study/networks");
  make("study", "study.yaml", "summary.json");
  symlinkSync(join(folder, "runs/a"), join(folder, "study-link"));
  const { found, notes } = await findPlaces([folder, join(folder, "not-yet")]);
  expect(found.map(({ kind, name }) => [kind, name]).sort()).toEqual([
    ["run", join(folder, "runs/a")],
    ["run", join(folder, "runs/deep/b")],
    ["study", join(folder, "study")],
  ]);
  expect(notes).toEqual([]);
});

it("ends on a disk of many folders, and says so", async () => {
  for (let i = 0; i < 30; i++) make(`many/${i}`);
  const { notes } = await findPlaces([join(folder, "many")], 10);
  expect(notes).toEqual(["Only the first 10 folders were looked into: name a folder nearer to the runs."]);
});
