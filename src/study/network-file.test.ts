import { expect, test } from "vitest";
import { parseNetworkFile, whyForeign } from "./network-file.js";

test("a network's file in another format is refused with the version that reads it", () => {
  const read = (value: unknown) => () => parseNetworkFile(JSON.stringify(value), "n.json");
  expect(read({ format: 2, lyceum: "9.9.9", commit: "abc1234" })).toThrow(
    /^n\.json: is in format 2, written by Lyceum 9\.9\.9 \(commit abc1234\), .*reads format 1: read it with Lyceum 9\.9\.9 or a newer one\. Put the file back/,
  );
  expect(read({ format: 0 })).toThrow("read it with an older version");
  expect(read({})).toThrow(/^n\.json: format: /);
  expect(read(null)).toThrow(/^n\.json: /);
});

test("a network of other numerics is named with the version that trained it", () => {
  const file = { decides: { numerics: 0 }, lyceum: "0.0.9", commit: "abc1234" };
  expect(whyForeign(file as Parameters<typeof whyForeign>[0])).toMatch(
    /^was trained by Lyceum 0\.0\.9 \(commit abc1234\) with version 0 of the numerics, and this is version \d+\. .* with that version/,
  );
});
