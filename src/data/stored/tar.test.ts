import { closeSync, openSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { beforeEach, expect, it } from "vitest";
import { tarStream } from "../../packages.js";
import { temporaryFolder } from "../fixtures/files.js";
import { tarEntries } from "./tar.js";

let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
});

/** Writes an archive by tar-stream. */
async function archive(members: readonly (readonly [string, Buffer])[]): Promise<string> {
  const pack = tarStream().pack();
  for (const [name, data] of members) pack.entry({ name }, data);
  pack.finalize();
  const path = join(folder, "a.tar");
  writeFileSync(path, await buffer(pack));
  return path;
}

function entriesOf(path: string) {
  const file = openSync(path, "r");
  try {
    return [...tarEntries(file, path)];
  } finally {
    closeSync(file);
  }
}

it("finds the bytes of every file of any archive that tar-stream writes", async () => {
  // Names beyond 100 bytes need a prefix, or pax where they are not ASCII.
  const letter = fc.constantFrom("a", "Z", "0", " ", "é", "日", ".", "-");
  const part = fc.array(letter, { minLength: 1, maxLength: 60 }).map((letters) => `x${letters.join("")}`);
  const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  const data = fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, data), { maxLength: 5 }), async (members) => {
      const path = await archive(members);
      const bytes = readFileSync(path);
      const found = entriesOf(path).map(({ name, offset, size }) => [
        name,
        bytes.subarray(offset, offset + size),
      ]);
      expect(found).toEqual(members.map(([name, data]) => [name, data]));
    }),
    { numRuns: 50 },
  );
});

it("says which member is cut short, and where", async () => {
  const path = await archive([
    ["first.jpg", Buffer.alloc(1000)],
    ["second.jpg", Buffer.alloc(1000)],
  ]);
  truncateSync(path, 2500);
  expect(() => entriesOf(path)).toThrow(
    `${path}, byte 1536: the archive is cut short: second.jpg is not whole. Get the archive again`,
  );
  truncateSync(path, 1600);
  expect(() => entriesOf(path)).toThrow("byte 1536: the archive is cut short");
});

it("notices an archive that ends between two members, and a member that is larger than the archive", async () => {
  const path = await archive([
    ["first.jpg", Buffer.alloc(512)],
    ["second.jpg", Buffer.alloc(512)],
  ]);
  const whole = readFileSync(path);
  writeFileSync(path, whole.subarray(0, 1024));
  expect(() => entriesOf(path)).toThrow("byte 1024: the archive is cut short");
  const folder = Buffer.from(whole);
  folder.write("5", 156);
  folder.write("77777777777 ", 124);
  writeChecksum(folder.subarray(0, 512));
  writeFileSync(path, folder);
  expect(() => entriesOf(path)).toThrow("byte 0: the archive is cut short, or says that a member is larger");
});

it("refuses what is no archive", () => {
  const path = join(folder, "b.tar");
  writeFileSync(path, Buffer.alloc(2048, "not a tar"));
  expect(() => entriesOf(path)).toThrow("byte 0: is no header of a tar archive");
  writeFileSync(path, Buffer.alloc(10_240));
  expect(entriesOf(path)).toEqual([]);
});

it("answers damage by an error or by entries within the file", async () => {
  const path = await archive([
    [`${"deep/".repeat(30)}name.jpg`, Buffer.alloc(700, 1)],
    ["é".repeat(80), Buffer.alloc(10)],
  ]);
  const whole = readFileSync(path);
  const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(changes, fc.boolean(), (changed, repaired) => {
      const file = Buffer.from(whole);
      for (const [at, byte] of changed) file[at] = byte;
      if (repaired) for (let at = 0; at < file.length; at += 512) writeChecksum(file.subarray(at, at + 512));
      writeFileSync(path, file);
      try {
        for (const { offset, size } of entriesOf(path))
          expect(offset + size).toBeLessThanOrEqual(file.length);
      } catch (error) {
        expect((error as Error).message).toContain(path);
      }
    }),
    { numRuns: 200 },
  );
});

function writeChecksum(header: Buffer) {
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}
