import { describe } from "vitest";
import { options, resNeXtFixture } from "./fixtures/cases.js";
import { behavesAsInPyTorch } from "./fixtures/family.js";
import { ResNet } from "./index.js";

describe("ResNet of grouped bottlenecks", () => {
  const bottleneck = { width: 128, groups: 32 };
  behavesAsInPyTorch(resNeXtFixture, () => new ResNet({ ...options, blocks: [1, 1, 1, 2], bottleneck }));
});
