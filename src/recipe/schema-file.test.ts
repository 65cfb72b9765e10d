import { expect, test } from "vitest";
import { schemaText } from "./schema-file.js";

test("every key is described, and has its default or says it in words", () => {
  const undocumented: string[] = [];
  const walk = (node: Record<string, unknown>, path: string) => {
    for (const [key, inner] of Object.entries(
      (node.properties ?? {}) as Record<string, Record<string, unknown>>,
    )) {
      const told = `${inner.description ?? ""}`;
      const required = ((node.required ?? []) as string[]).includes(key);
      const constant = inner.const !== undefined;
      if (
        !constant &&
        (!told || (!required && inner.default === undefined && !/Default: |instead of|One line/.test(told)))
      )
        undocumented.push(`${path}${key}`);
      walk(inner, `${path}${key}.`);
    }
    for (const inner of [...((node.anyOf ?? []) as []), ...((node.oneOf ?? []) as [])]) walk(inner, path);
  };
  walk(JSON.parse(schemaText()), "");
  expect(undocumented).toEqual([]);
});
