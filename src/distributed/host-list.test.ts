import fc from "fast-check";
import { expect, it } from "vitest";
import { expandHosts } from "./host-list.js";

it.each([
  ["node01", ["node01"]],
  ["node[01-04,7],other", ["node01", "node02", "node03", "node04", "node7", "other"]],
  ["n[8-11]", ["n8", "n9", "n10", "n11"]],
  ["n[098-101]", ["n098", "n099", "n100", "n101"]],
  ["rack[1-2]-node[3,5]", ["rack1-node3", "rack1-node5", "rack2-node3", "rack2-node5"]],
  ["a,b.example.org,c[1]x", ["a", "b.example.org", "c1x"]],
  ["", []],
])("%s", (list, hosts) => {
  expect(expandHosts(list)).toEqual(hosts);
});

it.each([
  "node[1-2",
  "node1]",
  "node[2-1]",
  "node[a-b]",
  "node[]",
  "n[[1]]",
  "n[0-100000]",
  "n[1-999][1-999]",
])("%s is refused", (list) => {
  expect(() => expandHosts(list)).toThrow(RangeError);
});

it("a range is its members one by one", () => {
  fc.assert(
    fc.property(fc.nat(2000), fc.nat(50), fc.integer({ min: 1, max: 5 }), (first, count, width) => {
      const pad = (n: number) => String(n).padStart(width, "0");
      const members = Array.from({ length: count + 1 }, (_, i) => `n${pad(first + i)}`);
      expect(expandHosts(`n[${pad(first)}-${pad(first + count)}]`)).toEqual(members);
    }),
  );
});
