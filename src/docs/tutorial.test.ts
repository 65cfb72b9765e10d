/** Runs the programs in the tutorial one after another, as a reader would. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, it, vi } from "vitest";

const text = readFileSync(new URL("../../docs/tutorial.md", import.meta.url), "utf8");
const programs = [...text.matchAll(/^## ([^\n]+)|```ts\n(.*?)```/gms)];

const here = process.cwd();
process.chdir(mkdtempSync(join(tmpdir(), "lyceum-tutorial-")));
afterAll(() => process.chdir(here));

let section = "";
const cases: [string, string][] = [];
for (const [, heading, program] of programs) {
  if (heading) section = heading;
  else cases.push([`${section}, program ${cases.length + 1}`, program!]);
}

it("has a program for images, network, method and metric", () => {
  expect(cases.length).toBeGreaterThanOrEqual(5);
});

it.each(cases)("%s", async (_, program) => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const file = join(process.cwd(), `program-${cases.findIndex(([, each]) => each === program)}.ts`);
  writeFileSync(file, program);
  await import(/* @vite-ignore */ pathToFileURL(file).href);
  log.mockRestore();
});
