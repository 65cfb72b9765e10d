import { describe, expect, it } from "vitest";
import { interleave, plan, spread } from "./sampling.js";
import { table } from "./table.js";
import { row } from "./work.js";

const which = { work: "student-step", model: "resnet20", peer: "pytorch-tuned" } as const;
const spreads = { ours: spread([1, 2, 3]), theirs: spread([6, 8, 10]) };

describe("row", () => {
  it.each([
    ["images/s", 2 / 8],
    ["s", 8 / 2],
    ["ns", 8 / 2],
    ["MiB", 8 / 2],
  ] as const)("in %s has the ratio %d, above 1 where Lyceum is better", (unit, ratio) => {
    expect(row({ ...which, unit }, spreads)).toEqual({
      ...which,
      unit,
      ours: 2,
      theirs: 8,
      ratio,
      spread: spreads,
    });
  });
});

describe("spread", () => {
  it("is the median and the middle half, whatever the order", () => {
    expect(spread([5, 1, 4, 2, 3])).toEqual({ lower: 2, median: 3, upper: 4 });
    expect(spread([4, 1, 3, 2])).toEqual({ lower: 1.75, median: 2.5, upper: 3.25 });
    expect(spread([7])).toEqual({ lower: 7, median: 7, upper: 7 });
  });
});

describe("interleave", () => {
  it("leaves the first round out and turns the order round each time", async () => {
    const order: string[] = [];
    const side = (name: string, value: number) => () => {
      order.push(name);
      return [value + order.length];
    };
    const [a, b] = await interleave(2, [side("a", 0), side("b", 100)]);
    expect(order).toEqual(["a", "b", "b", "a", "a", "b"]);
    expect(a).toEqual([4, 5]);
    expect(b).toEqual([103, 106]);
  });
});

describe("plan", () => {
  it.each([
    [0.01, true, { rounds: 3, perTurn: 2 }],
    [0.3, false, { rounds: 12, perTurn: 3 }],
    [3, true, { rounds: 2, perTurn: 1 }],
    [6, false, { rounds: 9, perTurn: 1 }],
  ])("of %d s a go, quick %s, is %j", (seconds, quick, expected) => {
    expect(plan(seconds, quick)).toEqual(expected);
  });
});

describe("table", () => {
  it("shows medians, the middle half, and the ratio", () => {
    const lines = table([
      row(
        { ...which, unit: "images/s" },
        { ours: spread([990, 1000, 1010]), theirs: spread([480, 500, 520]) },
      ),
      row({ ...which, work: "start-up", unit: "s" }, { ours: spread([1]), theirs: spread([2.5]) }),
    ]).split("\n");
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ["work", "model", "unit", "Lyceum", "peer", "peer's", "ratio"],
      [
        "student-step",
        "resnet20",
        "images/s",
        "1000 [995 … 1005]",
        "pytorch-tuned",
        "500 [490 … 510]",
        "2.00",
      ],
      ["start-up", "resnet20", "s", "1.00 [1.00 … 1.00]", "pytorch-tuned", "2.50 [2.50 … 2.50]", "2.50"],
    ]);
    expect(new Set(lines.map((line) => line.indexOf("pytorch")).slice(1)).size).toBe(1);
  });
});
