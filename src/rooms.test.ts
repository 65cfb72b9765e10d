/** The rooms of docs/architecture.md: imports only ever go down its list. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const source = fileURLToPath(new URL(".", import.meta.url));
const page = readFileSync(new URL("../docs/architecture.md", import.meta.url), "utf8");
/** The rooms in the order of the page; files that stand beside them come after all. */
const order = [...page.matchAll(/^\| `src\/(\w+)\/` \|/gm)].map(([, room]) => room!);

const roomOf = (path: string) => relative(source, path).split("/")[0]!;

/** All imports from one room of another, as "file → room". */
function* imports(): Generator<{ file: string; from: string; to: string }> {
  for (const entry of readdirSync(source, { recursive: true, encoding: "utf8" })) {
    // Tests may look from above.
    if (!entry.endsWith(".ts") || /\.test\.ts$|\/(testing|fixtures)\//.test(entry)) continue;
    const file = join(source, entry);
    const from = roomOf(file);
    if (!order.includes(from)) continue;
    for (const [, path] of readFileSync(file, "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)) {
      const to = roomOf(resolve(file, "..", path!));
      if (to !== from && !to.endsWith(".js")) yield { file: entry, from, to };
    }
  }
}

it("imports go down the list alone", () => {
  expect(order.length).toBeGreaterThan(10);
  const upwards = [...imports()].filter(({ from, to }) => order.indexOf(to) <= order.indexOf(from));
  expect(upwards.map(({ file, to }) => `${file} imports ${to}`)).toEqual([]);
});

it("every folder is a room on the page", () => {
  const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).sort()).toEqual([...order].sort());
});
