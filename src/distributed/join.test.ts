import { expect, it, vi } from "vitest";
import { joinGroup, NoProcessGroups, type RankEnvironment } from "./index.js";

vi.mock("../torch/index.js", async (original) => ({
  ...(await original<object>()),
  hasProcessGroups: () => false,
}));

const environment: RankEnvironment = {
  launcher: "torchrun",
  rank: 1,
  size: 4,
  localRank: 1,
  masterAddress: "127.0.0.1",
  masterPort: 1,
  agentStore: true,
  attempt: 0,
};

it("a build without Gloo says what to install", async () => {
  const joined = joinGroup(environment);
  await expect(joined).rejects.toThrow(NoProcessGroups);
  await expect(joined).rejects.toThrow(
    /^this is rank 1 of 4, but Lyceum was built without process groups: install Gloo's headers \(sudo apt-get install libgloo-dev/,
  );
});

it.each([0, -1, Number.NaN, 1e7])("a timeout of %d seconds is refused", async (timeoutSeconds) => {
  await expect(joinGroup(environment, { timeoutSeconds })).rejects.toThrow(RangeError);
});
