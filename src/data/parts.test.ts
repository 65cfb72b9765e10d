import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { readBytes } from "./byte-source.js";
import { temporaryFolder } from "./fixtures/files.js";
import { findParts, type Layout, readParts } from "./parts.js";
import { verifyParts } from "./verify.js";

// These are the MD5 of "hello" and "world!".
const layout: Layout = {
  parts: [
    { name: "a.bin", bytes: 5, md5: "5d41402abc4b2a76b9719d911017c592" },
    { name: "b.bin", bytes: 6, md5: "08cf82251c975a5e9734699fadf5e9c0" },
  ],
  texts: ["names.txt"],
  folder: "official",
  archive: "official.tar.gz",
  remedy: "Get it again",
};

/** Makes a tar of the given members; a number stands for that many zeros. */
async function tar(members: Record<string, string | number>): Promise<Buffer> {
  const packed = pack();
  for (const [name, content] of Object.entries(members)) {
    packed.entry({ name }, typeof content === "number" ? Buffer.alloc(content) : content);
  }
  packed.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packed) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Reads what `place` holds, part by part. */
async function contents(place: string): Promise<Record<string, string>> {
  const found = await findParts(layout, place);
  if (typeof found === "string") throw new Error(found);
  const read: Record<string, string> = {};
  const texts = await readParts(layout, found, async (part, source) => {
    const bytes = Buffer.alloc(part.bytes);
    await readBytes(source, part.bytes, (chunk, offset) => bytes.set(chunk, offset));
    read[part.name] = bytes.toString();
  });
  return { ...read, ...Object.fromEntries(texts) };
}

const whole = { "official/a.bin": "hello", "official/b.bin": "world!", "official/names.txt": "cat\ndog\n" };
const expected = { "a.bin": "hello", "b.bin": "world!", "names.txt": "cat\ndog\n" };

describe("a data set's files", () => {
  it.runIf(process.platform === "linux")("are no pipes, which would be waited on for ever", async () => {
    const folder = await temporaryFolder();
    const pipes = ["a.bin", "b.bin.gz", "names.txt", "official.tar"].map((name) => join(folder, name));
    execFileSync("mkfifo", pipes);
    expect(await findParts(layout, folder)).toBe("holds none of its files");
    expect(await findParts(layout, pipes[3]!)).toBe(
      "is neither a folder nor a .tar or .tar.gz; unpack it, and give the folder",
    );
  });

  it("are found loose, gzipped, in the archive's folder, and in archives", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "a.bin"), "hello");
    expect(await findParts(layout, folder)).toBe("lacks b.bin");
    await writeFile(join(folder, "b.bin.gz"), gzipSync("world!"));
    await writeFile(join(folder, "names.txt"), "cat\ndog\n");
    expect(await contents(folder)).toEqual(expected);

    const unpacked = await temporaryFolder();
    await mkdir(join(unpacked, "official"));
    for (const [name, content] of Object.entries(whole)) await writeFile(join(unpacked, name), content);
    expect(await contents(unpacked)).toEqual(expected);

    const packed = await temporaryFolder();
    expect(await findParts(layout, packed)).toBe("holds none of its files");
    await writeFile(join(packed, "official.tar"), await tar(whole));
    expect(await contents(packed)).toEqual(expected);
    await writeFile(join(packed, "mine.tgz"), gzipSync(await tar({ ...whole, "./late": "x" })));
    expect(await contents(join(packed, "mine.tgz"))).toEqual(expected);
    expect(await findParts(layout, join(packed, "absent"))).toBe("does not exist");
    expect(await findParts(layout, join(unpacked, "official/a.bin"))).toMatch(/neither a folder nor a .tar/);
  });

  it("may stand in an archive in any order, among others, without names", async () => {
    const folder = await temporaryFolder();
    const members = { "official/readme.html": 70_000, "./official/b.bin": "world!", "a.bin": "hello" };
    await writeFile(join(folder, "official.tar.gz"), gzipSync(await tar(members)));
    expect(await contents(folder)).toEqual({ "a.bin": "hello", "b.bin": "world!" });
  });

  it("are refused when the archive is damaged, incomplete or a bomb", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "official.tar.gz");
    const attempt = async (archive: Buffer) => {
      await writeFile(path, archive);
      return contents(folder);
    };
    await expect(attempt(gzipSync(await tar({ "official/a.bin": "hello" })))).rejects.toThrow(
      `${path}: lacks b.bin. Get it again`,
    );
    await expect(attempt(gzipSync(await tar({ "official/a.bin": "hello, world" })))).rejects.toThrow(
      `${path}: a.bin: has 12 bytes, expected 5. Get it again`,
    );
    await expect(attempt(gzipSync(await tar({ bomb: 50_000_000, ...whole })))).rejects.toThrow(
      /unpacks to more than 10485\d\d bytes/,
    );
    await expect(attempt(gzipSync(await tar({ ...whole, "official/names.txt": 70_000 })))).rejects.toThrow(
      "names.txt: is 70000 bytes long, too long for class names",
    );
    const good = gzipSync(await tar(whole));
    await expect(attempt(good.subarray(0, good.length / 2))).rejects.toThrow(path);
    await expect(attempt(Buffer.from("this is no gzip file"))).rejects.toThrow(/incorrect header check/);
    await expect(attempt(gzipSync(Buffer.alloc(2000, 7)))).rejects.toThrow(
      /cannot be unpacked \(Invalid tar/,
    );
  });

  it("are compared with the official ones, each by itself", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "a.bin"), "hellO");
    await writeFile(join(folder, "b.bin"), "world!");
    const found = await findParts(layout, folder);
    if (typeof found === "string") throw new Error(found);
    const reports = await verifyParts(layout, found);
    expect(reports.map(({ ok }) => ok)).toEqual([false, true]);
    expect(reports[0]!.problem).toMatch(/a.bin: has the MD5 [0-9a-f]{32}, the official one 5d41402/);
    await writeFile(join(folder, "a.bin"), "hell");
    expect((await verifyParts(layout, found)).map(({ problem }) => problem)).toEqual([
      `${join(folder, "a.bin")}, byte 4: ends here, but must have 5 bytes. Get it again`,
      undefined,
    ]);
    await writeFile(join(folder, "official.tar"), (await tar(whole)).subarray(0, 1024 + 3));
    const archive = await verifyParts(layout, { archive: join(folder, "official.tar") });
    expect(archive.map(({ ok }) => ok)).toEqual([true, false]);
  });
});
