/** Python in the documentation is compiled, where there is a Python. */
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { blocksIn, placeOf } from "./testing/pages.js";

const blocks = blocksIn("python", "py");

/** Compiles each text of a list on stdin, and prints a line for each that cannot be. */
const compiler = `
import json, sys
for place, text in json.load(sys.stdin):
    try:
        compile(text, place, "exec")
    except SyntaxError as error:
        print(f"{place}: {error}")
`;

function compile(texts: readonly (readonly [place: string, text: string])[]): string {
  const { stdout, stderr, status } = spawnSync("python3", ["-c", compiler], {
    input: JSON.stringify(texts),
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

const hasPython = spawnSync("python3", ["-c", ""]).status === 0;

it.skipIf(!hasPython)(`${blocks.length} blocks are Python`, () => {
  expect(blocks.length).toBeGreaterThan(0);
  expect(compile(blocks.map((block) => [placeOf(block), block.text]))).toBe("");
});

it.skipIf(!hasPython)("names what cannot be compiled", () => {
  expect(compile([["here", "def f(:"]])).toMatch(/^here: invalid syntax/);
});
