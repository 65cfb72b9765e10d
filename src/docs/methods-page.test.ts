import { expect, test } from "vitest";
import { methodsPage } from "./methods-page.js";

const costs = {
  command: "measure",
  date: "2026-01-02",
  machine: "a machine",
  what: "some network",
  ratios: { strict: 1, distillation: 1.234 },
};
const rowOf = (page: string, name: string) =>
  page.split("\n").find((line) => line.startsWith(`| [${name}]`))!;

test("a method's row has its formula, teachers, source and cost", () => {
  const page = methodsPage(costs);
  expect(rowOf(page, "distillation")).toMatch(
    /softWeight · T² · KL.*\| m - 1 \|.*arXiv:1503\.02531.*\| 1\.23 \|$/,
  );
  expect(rowOf(page, "mean-of-teachers")).toContain("| all before m |");
  expect(rowOf(page, "strict")).toBe("| [strict](#strict) | CE | none | – | 1.00 |");
  expect(page).toContain("some network; `measure`, a machine, 2026-01-02.");
});

test("a cost that was not measured is not made up", () => {
  expect(rowOf(methodsPage(costs), "born-again")).toMatch(/\| not measured \|$/);
  expect(rowOf(methodsPage({ ...costs, ratios: {} }), "strict")).toMatch(/\| not measured \|$/);
});

test("each option has its range and its default", () => {
  const page = methodsPage(costs);
  expect(page).toContain("| `alpha` | number ≥ 0 ≤ 1 | `0.8` | The share of the epoch before");
  // A default that depends on other options stands in the description.
  expect(page).toContain("| `primaryScore` | number > 0 < 1 | 0.8 | The score that the best class");
  expect(page).toMatch(
    /\| `generations` \| `all` or mapping of `last` or list of whole number.* \| `all` \| Which generations/,
  );
});
