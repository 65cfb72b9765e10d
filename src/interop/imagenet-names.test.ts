import { expect, it } from "vitest";
import { readableClass } from "./imagenet-names.js";

it.each([
  // The first and the last class, one in the middle, and one whose name has several words: as in the synset file of ILSVRC2012's kit.
  ["n01440764", "tench (n01440764)"],
  ["n15075141", "toilet tissue (n15075141)"],
  ["n03888257", "parachute (n03888257)"],
  ["n03394916", "French horn (n03394916)"],
  ["n99999999", "n99999999"],
  ["n0388825", "n0388825"],
  ["cat", "cat"],
  ["", ""],
])("%s is %s", (name, readable) => {
  expect(readableClass(name)).toBe(readable);
});
