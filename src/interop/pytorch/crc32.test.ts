import { crc32 as zlibs } from "node:zlib";
import { expect, it } from "vitest";
import { crc32, crc32ByTable } from "./crc32.js";

it("is the CRC-32 of zip files", () => {
  const bytes = Buffer.from("123456789");
  // The check value of CRC-32/ISO-HDLC in the catalogue of CRC algorithms.
  expect(crc32ByTable(bytes)).toBe(0xcbf43926);
  expect(crc32(bytes)).toBe(0xcbf43926);
  expect(crc32ByTable(new Uint8Array(0))).toBe(0);
  if (zlibs)
    for (let i = 0; i < 300; i++) expect(crc32ByTable(Buffer.alloc(i, i))).toBe(zlibs(Buffer.alloc(i, i)));
});
