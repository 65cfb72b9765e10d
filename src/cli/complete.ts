/** What could stand at the end of a command line that is being typed: for the shell's completion. */
import type { Argument, Command, Option } from "commander";
import {
  type Offer,
  packagedRecipes,
  recipeFiles,
  recipeKeys,
  runNames,
  studyNames,
  studyResults,
} from "./offers.js";

export interface Completion {
  words: Offer[];
  /** What the shell should list beside the words. */
  paths?: "files" | "folders";
}

/**
 * Completes a command line.
 *
 * @param words what stands behind the program's name; the last one is being typed, and may be empty
 */
export async function complete(program: Command, words: readonly string[]): Promise<Completion> {
  const typed = words.at(-1) ?? "";
  const { command, given, waiting, onlyArguments } = walk(program, words.slice(0, -1));
  if (waiting) return startingWith(typed, await valuesOf(waiting));
  if (typed.startsWith("-") && !onlyArguments) {
    const [, flag, before] = /^((--[^=]+)=)/.exec(typed)?.slice(0) ?? [];
    const option = optionsOf(command).find(({ long }) => long === before);
    if (flag === undefined || !option) return startingWith(typed, { words: flagsOf(command) });
    const { words: values, paths } = await valuesOf(option);
    const whole = values.map(({ name, about }) => ({ name: flag + name, about }));
    return startingWith(typed, { words: whole, ...(paths && { paths }) });
  }
  const inner = given === 0 && !onlyArguments ? commandsOf(command) : [];
  const wanted = command.registeredArguments;
  const last = wanted.at(-1);
  const argument = wanted[given] ?? (last?.variadic ? last : undefined);
  const { words: values, paths } = argument ? await valuesOf(argument) : { words: [] };
  return startingWith(typed, { words: [...inner, ...values], ...(paths && { paths }) });
}

/** Goes through the words before the one that is typed: which command they name, and what its next word is. */
function walk(program: Command, words: readonly string[]) {
  let command = program;
  let given = 0;
  let waiting: Option | undefined;
  let onlyArguments = false;
  for (const word of words) {
    if (waiting) waiting = undefined;
    else if (onlyArguments) given++;
    else if (word === "--") onlyArguments = true;
    else if (word.startsWith("-") && word !== "-") {
      const option = optionsOf(command).find(({ short, long }) => word === short || word === long);
      if (option?.required) waiting = option;
    } else {
      const inner = given === 0 ? command.commands.find((each) => each.name() === word) : undefined;
      if (inner) command = inner;
      else given++;
    }
  }
  return { command, given, waiting, onlyArguments };
}

const startingWith = (typed: string, { words, paths }: Completion): Completion => ({
  words: words.filter(({ name }) => name.startsWith(typed)),
  ...(paths && { paths }),
});

const optionsOf = (command: Command) => command.createHelp().visibleOptions(command);

const commandsOf = (command: Command): Offer[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .map((each) => ({ name: each.name(), about: each.description() }));

const flagsOf = (command: Command): Offer[] =>
  optionsOf(command).flatMap(({ long, description }) => (long ? [{ name: long, about: description }] : []));

/** What an argument or an option's value can be: one of its choices, or what its name in the help says. */
async function valuesOf(wanted: Argument | Option): Promise<Completion> {
  if (wanted.argChoices) return named(wanted.argChoices);
  const name = "flags" in wanted ? /[<[]([^>\]]+?)(?:\.\.\.)?[>\]]/.exec(wanted.flags)?.[1] : wanted.name();
  return (await sources[name ?? ""]?.()) ?? { words: [] };
}

const named = (names: readonly string[], about = ""): Completion => ({
  words: names.map((name) => ({ name, about })),
});
const files = async (): Promise<Completion> => ({ words: [], paths: "files" });
const folders = async (): Promise<Completion> => ({ words: [], paths: "folders" });

const members = async (family: "dataset" | "model" | "method") => {
  const { builtIn } = await import("../recipe/index.js");
  return builtIn.all(family).map(({ name, summary }) => ({ name, about: summary }));
};

/** By the names of arguments, and of options' values, in the commands' help. Numbers and names that are free have none. */
const sources: Record<string, () => Promise<Completion>> = {
  run: async () => ({ ...named(await runNames(), "run"), paths: "folders" }),
  recipe: async () => ({ words: [...(await recipeFiles()), ...(await packagedRecipes())], paths: "files" }),
  study: async () => ({ ...named(await studyNames(), "study"), paths: "files" }),
  what: async () => ({
    words: [...named(await studyResults(), "study").words, ...named(await runNames(), "run").words],
    paths: "folders",
  }),
  dataset: async () => ({ words: await members("dataset") }),
  images: async () => ({ words: await members("dataset"), paths: "folders" }),
  network: async () => ({ words: await members("model") }),
  metric: async () => {
    const { metrics } = await import("../analysis/index.js");
    return { words: metrics.map(({ name, summary }) => ({ name, about: summary })) };
  },
  device: async () => named(["cpu", "cuda"]),
  "key=value": async () => {
    const at = async (key: string, family: "dataset" | "model" | "method") =>
      (await members(family)).map(({ name, about }) => ({ name: `${key}=${name}`, about }));
    const [models, data, methods] = [
      await at("model", "model"),
      await at("data", "dataset"),
      [...(await at("patriarch", "method")), ...(await at("student", "method"))],
    ];
    const keys = (await recipeKeys()).map((key) => ({ name: `${key}=`, about: "" }));
    return { words: [...keys, ...models, ...data, ...methods] };
  },
  ...{ file: files, path: files, image: files, in: files, out: files },
  folder: folders,
};
