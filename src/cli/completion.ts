import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Argument, Command } from "commander";
import { complete } from "./complete.js";
import { bash } from "./shells/bash.js";
import { fish } from "./shells/fish.js";
import { zsh } from "./shells/zsh.js";
import { oneLine } from "./text.js";

const shells = { bash, zsh, fish };

export const completionCommand = () =>
  new Command("completion")
    .description("print a script by which a shell completes commands, options, recipes and runs")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(shells)))
    .addHelpText(
      "after",
      `
The script asks this very Lyceum at each press of Tab, so that it never lists what is not there. It completes the word lyceum; where
you have it in a project alone, add an alias: alias lyceum='npx --no -- lyceum'.

Examples:
  $ source <(npx lyceum completion bash)                                     # in ~/.bashrc, to have it always
  $ source <(npx lyceum completion zsh)                                      # in ~/.zshrc
  $ npx lyceum completion fish > ~/.config/fish/completions/lyceum.fish`,
    )
    .action((shell: keyof typeof shells) => {
      process.stdout.write(shells[shell](`${call()} complete --`));
    });

/** How this program is called, by whole paths: a shell may have another folder, and another Node, when it asks. */
function call(): string {
  const script = realpathSync(process.argv[1] ?? fileURLToPath(import.meta.url));
  return [process.execPath, script].map((path) => `'${path.replaceAll("'", "'\\\\''")}'`).join(" ");
}

/** What the scripts ask: a line for each word that may stand there, with a tab before what it means. */
export const completeCommand = () =>
  new Command("complete").argument("[words...]").action(async (words: string[], _, command: Command) => {
    const { words: found, paths } = await complete(command.parent!, words);
    for (const { name, about } of found) console.log(`${oneLine(name)}\t${oneLine(about.split("\n")[0]!)}`);
    if (paths) console.log(`:${paths}`);
  });
