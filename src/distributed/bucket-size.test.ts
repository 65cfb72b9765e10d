import { expect, it } from "vitest";
import { bucketBytesFor } from "./bucket-size.js";

it("buckets are of 4 MiB, and of more beyond eight ranks", () => {
  expect([1, 2, 8, 16, 64].map((ranks) => bucketBytesFor(ranks) / 2 ** 20)).toEqual([4, 4, 4, 8, 32]);
});
