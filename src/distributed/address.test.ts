import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { isLoopback, ownAddress, ownAddresses, resolveHost, storeAddress } from "./address.js";
import type { RankEnvironment } from "./environment.js";

const environment = (changes: Partial<RankEnvironment>): RankEnvironment => ({
  launcher: "the environment",
  rank: 0,
  size: 2,
  localRank: 0,
  masterAddress: "127.0.0.1",
  masterPort: 29500,
  agentStore: false,
  attempt: 0,
  ...changes,
});
const outside = ownAddresses().find((address) => !isLoopback(address) && !address.includes(":"));

it.each([
  ["127.0.0.1", true],
  ["127.1.2.3", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["10.0.0.1", false],
  ["1127.0.0.1", false],
  ["fe80::1", false],
])("%s is of the loopback: %s", (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});

describe("names", () => {
  it("an address in numbers is itself, localhost the loopback", async () => {
    expect(await resolveHost("10.1.2.3", { rank: 0, timeoutSeconds: 1 })).toBe("10.1.2.3");
    expect(isLoopback(await resolveHost("localhost", { rank: 0, timeoutSeconds: 1 }))).toBe(true);
  });

  it("asking for one can be given up", async () => {
    const signal = AbortSignal.abort(new Error("given up"));
    const asked = resolveHost("no-such-host.invalid", { rank: 0, timeoutSeconds: 60, signal });
    await expect(asked).rejects.toThrow("given up");
  });
});

describe("Gloo listens", () => {
  it("on the loopback where all ranks are on this machine, whatever the store's address", async () => {
    const here = environment({ localSize: 2 });
    expect(await ownAddress(here, "127.0.0.1", {})).toBe("127.0.0.1");
    expect(await ownAddress(here, "192.0.2.1", {})).toBe("127.0.0.1");
  });

  it("on the interface that GLOO_SOCKET_IFNAME names, which must be there", async () => {
    const name = Object.keys(networkInterfaces())[0]!;
    const wanted = { GLOO_SOCKET_IFNAME: name };
    expect(await ownAddress(environment({ localSize: 2 }), "127.0.0.1", wanted)).toEqual({ interface: name });
    await expect(ownAddress(environment({}), "127.0.0.1", { GLOO_SOCKET_IFNAME: "none7" })).rejects.toThrow(
      `GLOO_SOCKET_IFNAME=none7 is no network interface that is up on this machine (`,
    );
  });

  it("on the address from which the store is reached", async () => {
    expect(await ownAddress(environment({}), "127.0.0.1", {})).toBe("127.0.0.1");
    if (outside) expect(await ownAddress(environment({ localSize: 1 }), outside, {})).toBe(outside);
  });
});

describe("the store is restricted", () => {
  it("to its own address where all ranks are here, or it is given in numbers", () => {
    const named = environment({ localSize: 2, masterAddress: "localhost" });
    expect(storeAddress(named, "127.0.0.1")).toBe("127.0.0.1");
    expect(storeAddress(environment({}), "127.0.0.1")).toBe("127.0.0.1");
    if (outside) expect(storeAddress(environment({ masterAddress: outside }), outside)).toBe(outside);
  });

  it("not by a name, which other machines may know by another address, nor by an address of another machine", () => {
    const several = environment({ localSize: 1, masterAddress: "node1" });
    expect(storeAddress(several, outside ?? "127.0.0.1")).toBeUndefined();
    expect(storeAddress(environment({ masterAddress: "192.0.2.1" }), "192.0.2.1")).toBeUndefined();
  });
});
