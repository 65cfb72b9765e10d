/** The scripts in real shells, where these are installed; what Lyceum answers is put in its place. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { run } from "./program.js";
import { bash } from "./shells/bash.js";
import { fish } from "./shells/fish.js";
import { zsh } from "./shells/zsh.js";
import { useTerminal } from "./testing/terminal.js";

const terminal = useTerminal();
const folder = mkdtempSync(join(tmpdir(), "lyceum completion "));
afterAll(() => rmSync(folder, { recursive: true }));
const missing = (shell: string) => spawnSync(shell, ["-c", ":"]).error !== undefined;

/** Writes the script with a program that notes what it is asked, a word a line, and answers so. */
function scriptOf(shell: (ask: string) => string, answer: string): string {
  const [asked, stub, script] = ["asked", "stub", "script"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(stub, `#!/bin/sh\nprintf '<%s>' "$@" >'${asked}'\ncat <<'END'\n${answer}\nEND\n`);
  chmodSync(stub, 0o755);
  writeFileSync(script, shell(`'${stub}' --`));
  return script;
}
const asked = () => readFileSync(join(folder, "asked"), "utf8");
mkdirSync(join(folder, "files"));
for (const name of ["a b.png", "c.png"]) writeFileSync(join(folder, "files", name), "");

describe("bash", () => {
  /** Completes a line of these words, as bash splits them, and gives the replies. */
  function complete(words: string[], answer: string): string[] {
    const script = scriptOf(bash, answer);
    const list = words.map((word) => `'${word}'`).join(" ");
    const code = `source '${script}'; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _lyceum; printf '%s\\n' "\${COMPREPLY[@]}"; complete -p lyceum`;
    const lines = execFileSync("bash", ["--norc", "-c", code], {
      cwd: join(folder, "files"),
      encoding: "utf8",
    })
      .trimEnd()
      .split("\n");
    expect(lines.pop()).toBe("complete -F _lyceum lyceum");
    return lines;
  }

  test("gives the words, and asks with the one that is typed", () => {
    expect(complete(["lyceum", "tra"], "train\ttrain a line\ntransfer\thow well")).toEqual([
      "train",
      "transfer",
    ]);
    expect(asked()).toBe("<--><tra>");
    expect(complete(["lyceum", "train", ""], "my run\t")).toEqual(["my\\ run"]);
    expect(asked()).toBe("<--><train><>");
  });

  test("puts together what bash splits at =, and replies with the part behind it", () => {
    expect(complete(["lyceum", "train", "--set", "model", "=", "res"], "model=resnet18\t")).toEqual([
      "resnet18",
    ]);
    expect(asked()).toBe("<--><train><--set><model=res>");
    expect(complete(["lyceum", "export", "--to", "="], "--to=onnx\t\n--to=web\t")).toEqual(["onnx", "web"]);
    expect(asked()).toBe("<--><export><--to=>");
    expect(complete(["lyceum", "train", "--set", "a", "=", "1", "--se"], "--seed\t")).toEqual(["--seed"]);
    expect(asked()).toBe("<--><train><--set><a=1><--se>");
  });

  test("adds files where they may stand", () => {
    expect(complete(["lyceum", "predict", "mine", ""], ":files").sort()).toEqual(["a b.png", "c.png"]);
    expect(complete(["lyceum", "train", "--out", ""], ":folders")).toEqual([""]);
  });
});

test.skipIf(missing("fish"))("fish: the words with what they mean", () => {
  const script = scriptOf(fish, "train\ttrain a line\n:files");
  const complete = (line: string) =>
    execFileSync("fish", ["--no-config", "-c", `source '${script}'; complete -C '${line}'`], {
      cwd: join(folder, "files"),
      encoding: "utf8",
      env: { ...process.env, HOME: folder },
    });
  expect(complete("lyceum --set model=a ").split("\n")).toEqual(
    expect.arrayContaining(["train\ttrain a line"]),
  );
  expect(asked()).toBe("<--><--set><model=a><>");
  expect(complete("lyceum tr")).toContain("train\ttrain a line");
  expect(asked()).toBe("<--><tr>");
});

test.skipIf(missing("zsh"))("zsh: the words with what they mean", () => {
  const script = scriptOf(zsh, "train\ta line: long\nmodel=\t\n:files");
  // The functions of zsh's completion work within a terminal alone, so that they are put in place here.
  const code = `compdef() { print -r -- "compdef $*" }
_describe() { print -r -- "describe $1"; print -rl -- "\${(@P)2}" }
compadd() { print -r -- "compadd $*" }
_files() { print -r -- "files $*" }
source '${script}'; words=(lyceum '--out' 'a\\ b' ''); CURRENT=4; _lyceum`;
  const out = execFileSync("zsh", ["-f", "-c", code], { encoding: "utf8" });
  expect(out).toBe(
    "compdef _lyceum lyceum\ndescribe lyceum\ntrain:a line: long\ncompadd -S  -- model=\nfiles \n",
  );
  expect(asked()).toBe("<--><--out><a b><>");
});

test("the scripts call this Lyceum by whole paths", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    terminal.out = "";
    expect(await run(["completion", shell])).toBe(0);
    expect(terminal.out).toContain(`'${process.execPath}' '/`);
    expect(terminal.out).toContain("' complete -- ");
  }
  expect(await run(["completion", "tcsh"])).toBe(2);
});
