import { vi } from "vitest";
import * as torch from "../../torch/index.js";

/** How often each of Lyceum's operators is called while `body` runs. */
export function countOperators(body: () => void): Record<string, number> {
  const counts: Record<string, number> = {};
  const call = torch.op;
  const spy = vi.spyOn(torch, "op").mockImplementation((name: string, ...given: unknown[]) => {
    if (name.startsWith("lyceum::")) counts[name.slice(8)] = (counts[name.slice(8)] ?? 0) + 1;
    return call(name, ...given);
  });
  try {
    body();
  } finally {
    spy.mockRestore();
  }
  return counts;
}
