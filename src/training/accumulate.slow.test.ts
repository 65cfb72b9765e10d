import { expect, it } from "vitest";
import { bundle, start } from "../torch/testing/child.js";

it("a batch that is computed in parts takes less memory", async () => {
  using program = await bundle("src/training/testing/step-memory.ts");
  const peak = async (parts: number) => {
    const { code, stdout, stderr } = await start(program.script, [String(parts)]).ended;
    expect(code, stderr).toBe(0);
    return Number(stdout);
  };
  const [whole, parts] = [await peak(1), await peak(8)];
  console.log(`a step of 256 images: ${whole.toFixed(0)} MiB, in 8 parts ${parts.toFixed(0)} MiB`);
  // Activations are nearly all of it, and an eighth of them is left; weights, gradients and libtorch's own stay.
  expect(parts).toBeLessThan(whole / 2);
});
