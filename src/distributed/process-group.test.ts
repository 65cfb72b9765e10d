import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasProcessGroups } from "../torch/index.js";
import { type RankEnded, rankProgram } from "./testing/ranks.js";

let program: Awaited<ReturnType<typeof rankProgram>>;
beforeAll(async () => {
  program = await rankProgram();
});
afterAll(() => program[Symbol.dispose]());

const near = (a: unknown, b: unknown): boolean =>
  Array.isArray(a) && Array.isArray(b)
    ? a.length === b.length && a.every((each, i) => near(each, b[i]))
    : a === b || Math.abs(Number(a) - Number(b)) <= 1e-12 * (1 + Math.abs(Number(b)));

describe.runIf(hasProcessGroups()).each([2, 4])("%i ranks", (size) => {
  let ended: RankEnded[];
  beforeAll(async () => {
    ended = await program.run("collectives,refused,sum,gradients,equal,differs", size);
  });
  const ranks = Array.from({ length: size }, (_, rank) => rank);
  const each = (scene: string) => ended.map(({ said }) => said?.[scene]);

  it("end well", () => {
    expect(ended.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      ranks.map(() => ({ code: 0, stderr: "" })),
    );
  });

  it("sum, take extremes, send and gather", () => {
    const times = (size * (size + 1)) / 2;
    const expected = {
      lists: [
        [
          [times, 2 * times],
          [3 * times, 4 * times],
        ],
        [
          [size, 2 * size],
          [3 * size, 4 * size],
        ],
        [0, 1 - size],
        [
          [(size * (size - 1)) / 2, 3 * size],
          [size, 4 * size],
          [2 * size, 5 * size],
        ],
        [size - 0.5, 7],
        ranks.map((rank) => [rank % 2, 1]),
        ranks,
      ],
      empty: [size, 0, 3],
      texts: ranks.map((rank) => `rank ${rank} "quoted"\n`),
    };
    expect(each("collectives")).toEqual(ranks.map(() => expected));
  });

  it("refuse bad arguments and go on", () => {
    for (const { refused, still } of each("refused")) {
      expect(still).toEqual([size]);
      expect(refused.map(({ message }: Error) => message)).toEqual([
        "allReduce takes no tensor of dtype bool",
        "the tensor, float32[4, 2], has gaps in memory: use contiguous()",
        `the rank to broadcast from must be within 0 and ${size - 1}`,
        "must be an integer, got 0.5",
        'no reduction "mean" (known: sum, max, min)',
        "was disposed",
        "a parameter must be a leaf that requires a gradient",
        "there are no parameters",
        "a tensor of 9 dimensions, of which 8 are allowed",
      ]);
    }
  });

  it("differentiate a sum: of s = Σ x, and Σ (r + 1) s² over ranks r, the derivative is 2 s Σ (r + 1)", () => {
    const times = (size * (size + 1)) / 2;
    expect(each("sum")).toEqual(
      ranks.map((rank) => ({ y: [(rank + 1) * times ** 2], gradient: [2 * times * times] })),
    );
  });

  it("sum gradients in buckets, to the whole batch's gradient and to the same bits everywhere", () => {
    const all = each("gradients");
    for (const { summed, whole, bits, notes, seconds } of all) {
      expect(near(summed.slice(0, 4), whole.slice(0, 4))).toBe(true);
      expect(summed[4]).toBeNull();
      expect(bits).toBe(all[0].bits);
      expect(notes).toEqual([0, 1].map((step) => ranks.map((rank) => [rank * 10 + step, 1])));
      expect(seconds).toBe(true);
    }
  });

  it("compare fingerprints before they compute", () => {
    for (const { failure, same } of each("equal")) {
      expect(failure.name).toBe("RanksDiffer");
      const others = size === 2 ? "rank 0" : "ranks 0, 2 and 3";
      expect(failure.message).toContain(
        `the ranks differ in recipe (${others}: "epochs: 1"; rank 1: "epochs: 2"). All ranks must run`,
      );
      expect(same).toBe("none");
    }
  });

  it("find different shapes before Gloo does, which would end the process", () => {
    const others = size === 2 ? "rank 1" : "ranks 1, 2 and 3";
    for (const [rank, { failure, after }] of each("differs").entries()) {
      expect(failure).toEqual({
        name: "RanksDiffer",
        message:
          `rank ${rank} of ${size}: the ranks were about to do different things: rank 0: allReduce (sum) of float32[3]; ` +
          `${others}: allReduce (sum) of float32[4]. All ranks must run the same version with the same recipe and data.`,
      });
      expect(after).toEqual(failure);
    }
  });
});
