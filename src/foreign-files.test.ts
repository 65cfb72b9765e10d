/**
 * What comes from someone else leads nowhere and runs nothing: archives, folders of images, runs, results of studies, recipes.
 * Weights of other programs are tested in interop/pytorch/hostile.test.ts.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { readCifarRecords } from "./data/cifar-records.js";
import { loadDataset } from "./data/index.js";
import { findParts, readParts } from "./data/parts.js";
import { nameOf } from "./data/stored/places.js";
import { photo } from "./data/stored/testing/photos.js";
import { tarStream } from "./packages.js";
import { loadRecipe, resolveRecipe } from "./recipe/index.js";
import { writeStudyReport } from "./report/index.js";
import { describeEnvironment, RunFolder } from "./runs/index.js";
import { beginStudy } from "./study/index.js";
import { makeStudy } from "./study/testing/make-study.js";
import { writeStudy } from "./study/testing/tiny-study.js";
import { writeTransfer } from "./transfer/transfer-file.js";

let root: string;
/** A folder beside the one that is read, with a secret in it; nothing may be read from it or written to it. */
let outside: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lyceum-foreign-"));
  outside = join(root, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "secret"), "a secret\n");
  vi.stubEnv("LYCEUM_DATA", join(root, "cache"));
  return () => {
    expect(readdirSync(outside).filter((name) => !["secret", "photo.jpg"].includes(name))).toEqual([]);
    expect(readFileSync(join(outside, "secret"), "utf8")).toBe("a secret\n");
    rmSync(root, { recursive: true });
  };
});

type Member = Parameters<ReturnType<ReturnType<typeof tarStream>["pack"]>["entry"]>[0];

async function tar(path: string, members: readonly (readonly [Member, Uint8Array?])[]): Promise<void> {
  const pack = tarStream().pack();
  for (const [header, bytes] of members)
    if (bytes) pack.entry(header, Buffer.from(bytes));
    else pack.entry(header);
  pack.finalize();
  writeFileSync(path, await buffer(pack));
}

describe("archives", () => {
  it("links in a shard are left out, and names that lead elsewhere are names alone", async () => {
    const jpeg = await photo(1, { width: 16, height: 16 });
    const secret = join(outside, "secret");
    const shard = (name: string) =>
      tar(join(root, name), [
        [{ name: "0.jpg" }, jpeg],
        [{ name: "0.cls" }, Buffer.from("0")],
        [{ name: "1.jpg", type: "symlink", linkname: secret }],
        [{ name: "1.cls", type: "link", linkname: secret }],
        [{ name: "2.jpg", type: "character-device" }],
        [{ name: "../outside/3.jpg" }, jpeg],
        [{ name: "../outside/3.cls" }, Buffer.from("1")],
        [{ name: "/4.jpg" }, jpeg],
        [{ name: "/4.cls" }, Buffer.from("1")],
      ]);
    for (const name of ["train.tar", "test.tar"]) await shard(name);
    const spec = { name: "shards", root, train: "train.tar", test: "test.tar", size: 8 } as const;
    const { train } = await loadDataset(spec);
    expect(Array.from(train.labels)).toEqual([0, 1, 1]);
    expect(Array.from({ length: 3 }, (_, i) => nameOf(train.places, i))).toEqual(
      ["0.jpg", "../outside/3.jpg", "/4.jpg"].map((name) => `${join(root, "train.tar")}: ${name}`),
    );
  });

  it("a link in the place of a set's file is no such file", async () => {
    const layout = {
      parts: [{ name: "batch.bin", bytes: 3074, md5: "" }],
      ...{ folder: "cifar", archive: "cifar.tar", remedy: "Get it again" },
    };
    const path = join(root, "cifar.tar");
    await tar(path, [[{ name: "cifar/batch.bin", type: "symlink", linkname: join(outside, "secret") }]]);
    const found = await findParts(layout, path);
    const into = { images: new Uint8Array(3072), labels: [new Int32Array(1), new Int32Array(1)] };
    const reading = readParts(layout, found as { archive: string }, (_, part) =>
      readCifarRecords(part, [20, 100], into),
    );
    await expect(reading).rejects.toThrow(`${path}: `);
  });
});

describe("folders", () => {
  it("links to images and to folders of images are followed, since sets are put together by them", async () => {
    const folder = join(root, "photos");
    writeFileSync(join(outside, "photo.jpg"), await photo(1, { width: 16, height: 16 }));
    for (const path of ["train/cat", "train/dog", "val/cat"]) {
      mkdirSync(join(folder, path), { recursive: true });
      symlinkSync(join(outside, "photo.jpg"), join(folder, path, "linked.jpg"));
    }
    // But only for images: no other name, no pipe, no circle.
    symlinkSync(join(outside, "secret"), join(folder, "train/cat/secret"));
    symlinkSync("..", join(folder, "train/cat/circle"));
    symlinkSync(outside, join(folder, "train/bird"));
    const { train, classNames, leftOut } = await loadDataset({ name: "folder", root: folder, size: 8 });
    expect(classNames).toEqual(["bird", "cat", "dog"]);
    expect(train.count).toBe(3);
    expect(leftOut!.map(({ path }) => path).sort()).toEqual([
      "train/bird/secret",
      "train/cat/circle",
      "train/cat/secret",
    ]);
  });

  it("a run goes on in no folder with links", async () => {
    const directory = join(root, "run");
    const environment = await describeEnvironment({ device: "cpu" });
    const run = await RunFolder.create(directory, resolveRecipe({ data: "synthetic" }), environment);
    await run.close();
    symlinkSync(join(outside, "secret"), join(directory, "metrics.jsonl"));
    await expect(RunFolder.resume(directory, environment)).rejects.toThrow("metrics.jsonl is a link");
  });

  it("a transfer is not written through a link", async () => {
    const directory = join(root, "run");
    mkdirSync(directory);
    symlinkSync(outside, join(directory, "transfer"));
    await expect(writeTransfer(directory, { name: "birds" } as never)).rejects.toThrow(
      `${join(directory, "transfer")}: is a link; nothing is written through it`,
    );
  });

  it.each([
    [".work", ""],
    ["networks", ""],
    ["study.yaml", "secret"],
    [".work/.gitignore", "secret"],
  ])("a study goes on in no folder where %s is a link", async (link, target) => {
    const { path, directory } = writeStudy();
    mkdirSync(join(directory, link, ".."), { recursive: true });
    symlinkSync(join(outside, target), join(directory, link));
    const beginning = expect(beginStudy(path, directory)).rejects;
    await beginning.toThrow(
      link === "study.yaml" ? /study\.yaml/ : / is a link; a study goes on only in files/,
    );
  });

  it.each(["figures", "data"])("a study's report is not written through a link, %s", async (link) => {
    symlinkSync(outside, join(root, link));
    await expect(writeStudyReport(makeStudy(), root, { png: false })).rejects.toThrow("is a link");
  });

  it("a cache's leftovers are removed by their own names alone", async () => {
    const folder = join(root, "photos");
    const cache = join(root, "decoded");
    mkdirSync(cache);
    const [own, other] = [
      `${"0".repeat(32)}.images.${"0".repeat(8)}-0000-0000-0000-${"0".repeat(12)}.tmp`,
      "letter.tmp",
    ];
    const { utimesSync } = await import("node:fs");
    for (const name of [own, other]) {
      writeFileSync(join(cache, name), "");
      utimesSync(join(cache, name), 1e9, 1e9);
    }
    for (const path of ["train/cat", "train/dog", "val/cat"]) {
      mkdirSync(join(folder, path), { recursive: true });
      writeFileSync(join(folder, path, "a.jpg"), await photo(1, { width: 16, height: 16 }));
    }
    await loadDataset({ name: "folder", root: folder, size: 8, cache });
    expect(existsSync(join(cache, own))).toBe(false);
    expect(existsSync(join(cache, other))).toBe(true);
  });
});

describe("code", () => {
  const source = fileURLToPath(new URL(".", import.meta.url));

  it("is run by --import alone: no other line loads a module by a name that is not written there", () => {
    const found: string[] = [];
    for (const entry of readdirSync(source, { recursive: true, encoding: "utf8" })) {
      if (!entry.endsWith(".ts") || /\.test\.ts$|(^|\/)(testing|fixtures|fuzz|generate)\//.test(entry))
        continue;
      const text = readFileSync(join(source, entry), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
      const loads = text.matchAll(
        /\bimport\((?!\s*["'])|(?<![.\w])eval\((?!\))|\bnew Function\b|\brunIn\w*Context\((?!["'])|\brequire\((?!["'])/g,
      );
      for (const [what] of loads) found.push(`${entry}: ${what}`);
    }
    expect(found).toEqual(["cli/imports.ts: import("]);
  });

  it("that a run, a recipe or a folder names is not run", async () => {
    const directory = join(root, "run");
    const evil = join(root, "evil.mjs");
    writeFileSync(
      evil,
      `import { writeFileSync } from "node:fs";\nwriteFileSync(${JSON.stringify(join(outside, "ran"))}, "");\n`,
    );
    const environment = await describeEnvironment({ device: "cpu" });
    const run = await RunFolder.create(directory, resolveRecipe({ data: "synthetic" }), {
      ...environment,
      imports: [{ file: evil, sha256: "0".repeat(64) }],
    });
    await run.close();
    const opened = await RunFolder.open(directory);
    await expect(opened.askForImports([])).rejects.toThrow(
      `was made with --import ${evil}: give that file again`,
    );
    for (const text of [
      `data: { name: synthetic }\nimport: ${evil}`,
      `data: synthetic\npatriarch: ${evil}`,
      `data: synthetic\npatriarch: !!js/function "() => import('${evil}')"`,
      `data: synthetic\npatriarch: !import ${evil}`,
      `data: synthetic\nmodel: "\${require('${evil}')}"`,
    ]) {
      const path = join(root, "mine.yaml");
      writeFileSync(path, text);
      await expect(loadRecipe(path)).rejects.toThrow(`${relative("/", path)}:`);
    }
  });
});
