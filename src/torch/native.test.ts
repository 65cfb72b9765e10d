import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import * as torch from "./index.js";

const trimmed = join(dirname(torch.nativePath()), "libtorch");
const there = existsSync(trimmed) && process.platform === "linux";
const why = there ? "" : " (skipped: this build took no trimmed copy)";

it.skipIf(!there)(`loads the copy of libtorch without the libraries that it does not use${why}`, () => {
  expect(torch.tensor([1, 2]).sum().item()).toBe(3);
  const maps = readFileSync("/proc/self/maps", "utf8");
  expect(maps).toContain(`${trimmed}/libtorch_cpu.so`);
  expect(maps).not.toMatch(/libopencv_core|libavcodec/);
});
