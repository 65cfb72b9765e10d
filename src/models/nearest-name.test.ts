import { expect, it } from "vitest";
import { nearestName } from "./nearest-name.js";

it.each([
  ["resnet21", "resnet20"],
  ["resnet", "resnet8"],
  ["resent110", "resnet110"],
  ["ResNet-56", "resnet56"],
  ["net8", "resnet8"],
  ["", "resnet8"],
])("takes %j for %s", (word, meant) => {
  expect(nearestName(word, ["resnet8", "resnet20", "resnet56", "resnet110"])).toBe(meant);
});
