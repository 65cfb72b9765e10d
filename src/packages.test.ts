import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { schema, yaml } from "./packages.js";

it("gives the package, and the same schema every time", () => {
  expect(yaml().parse("a: [1]")).toEqual({ a: [1] });
  const count = schema((z) => z.int().min(1));
  expect(count()).toBe(count());
  expect(count().safeParse(0).success).toBe(false);
});

it("is the only way to them: an import would load them at every start", () => {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter(
    (file) => /(?<!\.test)\.ts$/.test(file) && !/fixtures|testing/.test(file),
  );
  const importing = files.filter((file) =>
    /^(?:import|export) (?!type\b)[^;]*? from "(?:zod|yaml|tar-stream|sharp|jstat|@resvg)/m.test(
      readFileSync(join("src", file), "utf8"),
    ),
  );
  expect(files.length).toBeGreaterThan(100);
  expect(importing).toEqual([]);
});
