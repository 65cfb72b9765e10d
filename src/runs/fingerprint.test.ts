import { expect, test } from "vitest";
import { type RecipeInput, resolveRecipe } from "../recipe/index.js";
import { fingerprint, withoutPlace } from "./fingerprint.js";

const of = (input: Partial<RecipeInput> = {}) => fingerprint(resolveRecipe({ data: "cifar100", ...input }));

test("what decides the weights changes it", () => {
  const changes: Partial<RecipeInput>[] = [
    { seed: 1 },
    { epochs: 3, schedule: { kind: "cosine" } },
    { student: { hardWeight: 0.4 } },
    { schedule: { kind: "multi-step", milestones: [0.25, 0.75] } },
    { data: { name: "cifar100", heldOut: 0.1 } },
  ];
  expect(new Set([of(), ...changes.map(of)]).size).toBe(changes.length + 1);
});

test("what does not, and the order of keys, leave it as it is", () => {
  expect(of({ title: "x", description: "y", generations: 9, device: "cuda", threads: 2 })).toBe(of());
  expect(of({ data: { root: "/elsewhere", name: "cifar100" } })).toBe(of());
  const { epochs, ...rest } = resolveRecipe({ data: "cifar100" });
  expect(fingerprint({ ...rest, epochs })).toBe(of());
});

test("a file that is known by its SHA-256 may lie anywhere, and no other", () => {
  const known = { method: "pretrained", sha256: "1", classesSha256: "2" };
  expect(withoutPlace({ ...known, weights: "a", classes: "b" })).toEqual(known);
  expect(withoutPlace({ weights: "a", classes: "b", sha256: "1" })).toEqual({ classes: "b", sha256: "1" });
  expect(withoutPlace({ weights: "a", classes: 5 })).toEqual({ weights: "a", classes: 5 });
});
