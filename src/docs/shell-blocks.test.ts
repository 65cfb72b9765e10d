/**
 * Command lines in the documentation, in `sh` blocks and in the text: those of Lyceum are parsed by its own parser, those of npm
 * and of Node must name scripts and files that are there. None of them is run.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { optionsOf, parseCommandLine } from "./testing/command-line.js";
import { type Block, blocksIn, placeOf, proseOf, readPages, root } from "./testing/pages.js";
import { type Command, commandsOf } from "./testing/shell.js";

const readJson = (file: string) => JSON.parse(readFileSync(join(root, file), "utf8"));
const { scripts: own, devDependencies, dependencies } = readJson("package.json");
/** Those of the project that `lyceum init` makes count too. */
const scripts = { ...readJson("templates/project/package.json").scripts, ...own };
const blocks = blocksIn("sh", "console");

/** What a `console` block shows as typed, behind `$`; of an `sh` block everything. */
const typed = ({ language, text }: Block) =>
  language === "sh" ? text : [...text.matchAll(/^\$ (.*)$/gm)].map(([, line]) => line).join("\n");

/** Programs of others: what they are given is theirs to know, apart from a command of Lyceum's among it. */
const foreign = [
  "cat",
  "cd",
  "docker",
  "git",
  "mkdir",
  "sbatch",
  "scontrol",
  "source",
  "ssh",
  "tar",
  "tensorboard",
];
/** Programs that start another one, which stands among their arguments. */
const starters = ["srun", "taskset", "torchrun", "mpirun", "nice"];

/** Checks one command. @throws Error that says what is wrong with it */
async function check(command: Command): Promise<void> {
  const [name, ...args] = command as [string, ...string[]];
  if (basename(name) === "lyceum" || name === "lyceum") return await parseCommandLine(args);
  if (name === "npx") return await checkNpx(args);
  if (name === "alias") {
    const [inner] = commandsOf(args.join(" ").replace(/^\w+=/, ""));
    return await check([...inner!, "--help"]);
  }
  if (name === "npm") return checkNpm(args);
  if (["node", "python3", "bash"].includes(name)) return checkScript(args);
  if (name.startsWith("./") || name.includes("/")) return exists(name);
  if (starters.includes(name)) {
    const inner = args.findIndex((arg) => /(^|\/)(lyceum|npx|npm|node)$/.test(arg));
    // A script of the reader's own, in Python.
    if (inner < 0 && args.at(-1)?.endsWith(".py")) return;
    if (inner < 0) throw new Error(`${name} starts nothing that is known here`);
    return await check(args.slice(inner));
  }
  if (!foreign.includes(name)) throw new Error(`${name} is not known: mend it, or add it to the list`);
}

async function checkNpx(args: readonly string[]): Promise<void> {
  const [name, ...rest] = args.filter((arg, i) => i > 1 || !["--no", "--"].includes(arg));
  if (name === "lyceum") return await parseCommandLine(rest);
  if (name === "vite-node" || name === "vitest") {
    for (const arg of rest) if (/^[\w./-]+\.ts$/.test(arg)) exists(arg);
    return;
  }
  // A static server of others, which is fetched when it is used.
  if (name === "serve") return;
  const tool = name === "tsc" ? "typescript" : name!;
  if (!(tool in devDependencies || tool in dependencies)) throw new Error(`npx ${name}: is no dependency`);
}

function checkNpm([command, name]: readonly string[]): void {
  const script = command === "run" ? name! : command!;
  if (["install", "ci", "pack", "publish"].includes(command!) || script in scripts) return;
  throw new Error(`npm ${command} ${name ?? ""}: there is no such script`);
}

/** Finds the source of what was compiled: build/bench/x.js is bench/x.ts, dist/x.js is src/x.ts. */
function checkScript(args: readonly string[]): void {
  const script = args.find((arg) => /\.(m?js|ts|py|sh)$/.test(arg));
  if (script === undefined) return;
  // A clone is called lyceum.
  exists(
    script
      .replace(/^lyceum\//, "")
      .replace(/^build\/(.*)\.js$/, "$1.ts")
      .replace(/^dist\/(.*)\.js$/, "src/$1.ts"),
  );
}

function exists(file: string): void {
  if (!existsSync(join(root, file)) && !file.startsWith("node_modules/"))
    throw new Error(`there is no ${file}`);
}

/** The commands of a text that holds placeholders for people, such as <this repository>. */
const commandsFor = (text: string) => commandsOf(text.replace(/<[a-z ]+>/g, "WORD"));

it.each(blocks.map((block) => [placeOf(block), block] as const))("%s", async (place, block) => {
  const text = typed(block);
  const syntax = spawnSync("bash", ["-n"], { input: text.replace(/<[a-z ]+>/g, "WORD"), encoding: "utf8" });
  expect(syntax.stderr).toBe("");
  const commands = commandsFor(text);
  expect(commands.length, place).toBeGreaterThan(0);
  const problems: string[] = [];
  for (const command of commands)
    await check(command).catch((error: Error) => problems.push(`${command.join(" ")}: ${error.message}`));
  expect(problems).toEqual([]);
});

it.each(readPages().map((page) => [page.path, page] as const))("%s: commands within its text", (_, page) => {
  const problems: string[] = [];
  for (const [, text] of proseOf(page).matchAll(/`([^`\n]+)`/g)) {
    const [, npm, script] = /^npm (run )?([a-z][\w:]*)/.exec(text!) ?? [];
    if (script && (npm || ["start", "test"].includes(script)) && !(script in scripts))
      problems.push(`${text}: no such script`);
    const [, name, rest] = /^(?:npx )?lyceum ([a-z]+)\b(.*)/.exec(text!) ?? [];
    if (!name) continue;
    const known = optionsOf(name);
    if (!known) problems.push(`${text}: no such command`);
    for (const [option] of rest!.matchAll(/(?<=[ [])--?[a-z][\w-]*/g))
      if (known && !known.has(option)) problems.push(`${text}: lyceum ${name} has no ${option}`);
  }
  expect(problems).toEqual([]);
});

it.each([
  ["an unknown command", ["lyceum", "trian", "quickstart"], /unknown command 'trian'/],
  ["an unknown option", ["npx", "lyceum", "train", "quickstart", "--sed", "1"], /unknown option '--sed'/],
  ["an argument too many", ["npx", "lyceum", "report", "a", "b"], /too many arguments/],
  ["a missing argument", ["npx", "lyceum", "export"], /missing required argument/],
  ["an unknown key", ["npx", "lyceum", "train", "quickstart", "--set", "epoch=2"], /epochs/],
  ["an unknown script", ["npm", "run", "dosc"], /no such script/],
  ["a file that is gone", ["node", "build/bench/gone.js"], /no bench\/gone\.ts/],
  ["an unknown program", ["lyecum"], /lyecum is not known/],
])("%s is refused", async (_, command, message) => {
  await expect(check(command)).rejects.toThrow(message);
});
