/** Two steps of the recipes of large networks, on fewer or smaller images than they are for; see recipes.test.ts. */
import { expect, it } from "vitest";
import { listRecipes } from "../recipe/index.js";
import { expectTwoSteps } from "./testing/two-steps.js";

const large: Record<string, { batchSize?: number; size?: number }> = {
  "cifar100-resnet110": { batchSize: 64 },
  "cifar100-densenet100": { batchSize: 16, size: 16 },
  "cifar100-densenet190": { batchSize: 4, size: 8 },
  "cifar100-preact-resnet18": { batchSize: 16, size: 16 },
  "cifar100-wrn-28-10": { batchSize: 4, size: 8 },
  "imagenet-resnet18": { batchSize: 4, size: 64 },
  "imagenet-resnet50": { batchSize: 16, size: 64 },
  photos: { batchSize: 8, size: 64 },
};

it.each(Object.entries(large))("two steps of %s", (name, options) => expectTwoSteps(name, options));

it("no recipe is left out", async () => {
  const here = ["quickstart", "fashion-mnist-resnet20", "cifar100-resnet20", "cifar100-resnet32"];
  const tried = [...here, "cifar100-resnet56", ...Object.keys(large)];
  expect((await listRecipes()).map(({ name }) => name).sort()).toEqual(tried.sort());
});
