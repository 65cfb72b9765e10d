import { expect, test } from "vitest";
import { checksumOf, hasOwnChecksum } from "./json-checksum.js";

const data = {
  generation: 0,
  terms: { hard: 0.1, soft: Number.NaN },
  list: [1, { seconds: 3 }],
  seconds: 1.5,
};
const stored = JSON.parse(JSON.stringify({ ...data, checksum: checksumOf(data) }));

test("a file that was read back has the checksum that it was written with", () => {
  expect(stored.checksum).toMatch(/^[0-9a-f]{16}$/);
  expect(hasOwnChecksum(stored)).toBe(true);
  expect(hasOwnChecksum({ ...stored, terms: { hard: 0.2, soft: null } })).toBe(false);
  expect(hasOwnChecksum({ ...stored, generation: 1 })).toBe(false);
  expect(hasOwnChecksum({ ...stored, checksum: null })).toBe(false);
});

test("times and the order of keys make no difference", () => {
  const { generation, ...rest } = stored;
  expect(hasOwnChecksum({ ...rest, list: [1, { seconds: 9 }], seconds: 7, date: "later", generation })).toBe(
    true,
  );
});

test("what carries none is accepted", () => {
  for (const value of [data, [], null, 3, "text"]) expect(hasOwnChecksum(value)).toBe(true);
});
