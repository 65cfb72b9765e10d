/** The studies that come with Lyceum. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { scheduleFor } from "../generations/learner.js";
import { builtIn, loadRecipe } from "../recipe/index.js";
import { loadStudy } from "./study-file.js";

const folder = fileURLToPath(new URL("../../studies/", import.meta.url));

it.each(readdirSync(folder).filter((name) => name.endsWith(".yaml")))("%s is a study", async (name) => {
  const { file, arms } = await loadStudy(join(folder, name));
  expect(arms.map((arm) => arm.name)).toContain(file.reference);
  expect(file.title).toMatch(/\w/);
});

it.each([
  ["cifar100-resnet110", 820],
  ["cifar100-densenet100", 1500],
])(
  "%s compares lines of the recipe of that name, and a plain training as long as one",
  async (name, epochs) => {
    const { arms, file } = await loadStudy(join(folder, `${name}.yaml`));
    expect(file.seeds).toHaveLength(5);
    const base = await loadRecipe(name);
    const tolerant = arms.find((arm) => arm.name === "tolerant")!.recipe;
    const { title: _, description: __, ...rest } = base;
    expect(tolerant).toMatchObject(rest);
    const plain = arms.find((arm) => arm.name === "plain")!.recipe;
    expect(plain).toMatchObject({ generations: 1, epochs, patriarch: { method: "strict" } });
    // The rate drops at the same fractions of the training.
    for (const fraction of [0, 0.25, 0.49, 0.5, 0.74, 0.75, 0.99]) {
      const rate = (recipe: typeof plain) =>
        scheduleFor({ recipe, library: builtIn }, 0, 10)(Math.round(10 * fraction * recipe.epochs));
      expect(rate(plain)).toBe(rate(tolerant));
    }
  },
);
