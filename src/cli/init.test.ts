/** `lyceum init`; `.ci/pack-test` compiles, tests and trains what it makes. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadRecipe } from "../recipe/index.js";
import { run } from "./program.js";
import { useTerminal } from "./testing/terminal.js";

const terminal = useTerminal();

test("makes a project named by its folder, and says what to do next", async () => {
  expect(await run(["init", "My Line"])).toBe(0);
  expect(readdirSync("My Line").sort()).toEqual(
    [".gitignore", "README.md", "package.json", "recipe.yaml", "src", "tsconfig.json"].sort(),
  );
  const { name, dependencies } = JSON.parse(readFileSync("My Line/package.json", "utf8"));
  expect(name).toBe("my-line");
  expect(dependencies.lyceum).toMatch(/^file:\//);
  expect(terminal.out).toContain("next: cd My Line && npm install && npm run setup && npm run train");
});

test("writes nothing over", async () => {
  writeFileSync("recipe.yaml", "mine");
  expect(await run(["init"])).toBe(2);
  expect(terminal.err).toContain(
    "recipe.yaml: there already, and nothing is written over: name a new folder",
  );
  expect(readFileSync("recipe.yaml", "utf8")).toBe("mine");
  expect(existsSync("package.json")).toBe(false);
});

test("its recipe asks for what the project defines, by name", async () => {
  await run(["init", "line"]);
  await expect(loadRecipe("line/recipe.yaml")).rejects.toThrow(/small-net|gentle-labels/);
});
