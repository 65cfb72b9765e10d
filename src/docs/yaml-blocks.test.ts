/** YAML in the documentation: recipes and studies, whole ones or parts of them, must be what Lyceum's own checks let pass. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseYaml, resolveRecipe } from "../recipe/index.js";
import { checkStudy } from "../study/index.js";
import { type Block, blocksIn, placeOf } from "./testing/pages.js";

const blocks = blocksIn("yaml");

/** What a recipe needs beside a part of it that is shown. */
const recipe = { data: "cifar100", model: "resnet20" };

/** What a study needs beside a part of it that is shown, with the arms that are named there. */
const study = {
  base: { ...recipe, data: { name: "cifar100", heldOut: 0.1 }, generations: 2 },
  seeds: 2,
  arms: {
    tolerant: { patriarch: { k: 5, primaryScore: 0.8 } },
    "label-smoothing": { patriarch: "label-smoothing" },
    "confidence-penalty": { patriarch: "confidence-penalty" },
  },
};

const here = process.cwd();
const folder = mkdtempSync(join(tmpdir(), "lyceum-yaml-"));
beforeAll(() => {
  process.chdir(folder);
  // Files that recipes name must be there; what they hold is looked at when a training begins.
  for (const file of ["resnet18-imagenet.pth", "imagenet-wnids.txt"]) writeFileSync(file, "");
});
afterAll(() => {
  process.chdir(here);
  rmSync(folder, { recursive: true });
});

/** Checks a block as what its keys say it is. @throws with the words that a user would read */
function check(text: string): "recipe" | "study" {
  const { value } = parseYaml(text);
  const keys = Object.keys(value as object);
  const isStudy = ["base", "arms", "seeds", "calibrate", "grid"].some((key) => keys.includes(key));
  if (isStudy) checkStudy({ ...study, ...(value as object) });
  else resolveRecipe({ ...recipe, ...(value as object) });
  return isStudy ? "study" : "recipe";
}

it.each(blocks.map((block): [string, Block] => [placeOf(block), block]))("%s", (_, { text }) => {
  expect(check(text)).toMatch(/recipe|study/);
});

it("refuses what neither a recipe nor a study may hold", () => {
  expect(() => check("epoch: 2")).toThrow(/epochs/);
  expect(() => check("seeds: [1, 1]")).toThrow(/twice/);
  expect(() => check("calibrate: { like: nobody, arms: {} }")).toThrow();
});
