import { expect, test } from "vitest";
import { lyceumVersion } from "./environment.js";
import { otherFormat } from "./other-format.js";

const here = lyceumVersion();

test.each([
  [
    { found: 1, lyceum: here, commit: "abc1234", remedy: "train anew" },
    `is in format 1, written by Lyceum ${here} (commit abc1234), and this version, Lyceum ${here}, reads format 2: ` +
      "read it with its commit abc1234, or train anew",
  ],
  [{ found: 1, lyceum: here }, /read it with the commit of it that wrote the file$/],
  [{ found: 1, lyceum: "0.0.9" }, /written by Lyceum 0\.0\.9, .* read it with Lyceum 0\.0\.9$/],
  [{ found: 3, lyceum: "99.1.0" }, /read it with Lyceum 99\.1\.0 or a newer one$/],
  [
    { found: 1 },
    `is in format 1, and this version, Lyceum ${here}, reads format 2: read it with an older version, the one`,
  ],
  [{ found: 3 }, /read it with a newer one$/],
  [
    { found: { of: "anyone" }, lyceum: [], commit: 7 },
    /is in format unknown, and .* with the version that wrote it$/,
  ],
  [{ found: "x".repeat(10_000), lyceum: "y".repeat(10_000) }, /^a\.json: .{20,300}$/],
])("a file in another format says who reads it: %j", (about, message) => {
  const { message: said } = otherFormat("a.json", { reads: 2, ...about });
  expect(said.startsWith("a.json: ")).toBe(true);
  if (typeof message === "string") expect(said).toContain(message);
  else expect(said).toMatch(message);
});
