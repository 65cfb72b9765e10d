/** Parses command lines by the program that would run them, and runs nothing. */
import { type Command, CommanderError } from "commander";
import { program } from "../../cli/program.js";
import { loadRecipe } from "../../recipe/index.js";

/**
 * Parses the arguments behind `lyceum`.
 *
 * @throws Error with the program's own words for a command or an option that it does not know, an argument too many or one that is
 *   missing, and for `--set` with a key or a value that no recipe takes
 */
export async function parseCommandLine(args: readonly string[]): Promise<void> {
  const parsed = parser();
  try {
    await parsed.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    throw error;
  }
  const set = args.flatMap((arg, i) => (args[i - 1] === "--set" && !arg.includes("$") ? [arg] : []));
  if (set.length > 0) await checkOverrides(set);
}

/** The program, whose commands do nothing and print nothing. */
function parser(): Command {
  const quiet = (command: Command) => {
    command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
    if (command.commands.length === 0) command.action(() => {});
    for (const inner of command.commands) quiet(inner);
    return command;
  };
  return quiet(program());
}

/** @throws Error when a recipe that comes along, or one of photographs, cannot be overridden so */
async function checkOverrides(set: readonly string[]): Promise<void> {
  await loadRecipe(set.some((text) => text.startsWith("data.root=")) ? "photos" : "quickstart", { set });
}

let known: Command | undefined;

/** Names the options that a command takes, `--help` too, for command lines that are not whole. */
export function optionsOf(name: string): Set<string> | undefined {
  known ??= program();
  const command = known.commands.find((each) => each.name() === name);
  if (!command) return undefined;
  const all = [command, ...command.commands].flatMap(({ options }) => options);
  return new Set([
    "--help",
    ...all.flatMap(({ long, short }) => [long, short].filter((each) => each !== undefined)),
  ]);
}
