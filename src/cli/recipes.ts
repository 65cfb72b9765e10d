import { Command } from "commander";
import { listRecipes } from "../recipe/index.js";

export const recipesCommand = () =>
  new Command("recipes")
    .description("list the recipes that come with Lyceum")
    .option("--json", "print them as JSON")
    .addHelpText(
      "after",
      `
A recipe is a YAML file; write your own from one of these, and see schema/recipe.schema.json for every key.

Examples:
  $ npx lyceum recipes
  $ npx lyceum train quickstart`,
    )
    .action(async ({ json }: { json?: boolean }) => {
      const recipes = await listRecipes();
      if (json) console.log(JSON.stringify(recipes, null, 2));
      else for (const line of lines(recipes)) console.log(line);
    });

function lines(recipes: { name: string; description: string }[]): string[] {
  const width = Math.max(...recipes.map(({ name }) => name.length));
  return recipes.map(({ name, description }) => `${name.padEnd(width)}   ${description}`);
}
