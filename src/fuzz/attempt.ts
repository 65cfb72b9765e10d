/** Gives a reader one damaged folder, and says what came of it. */
import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Files, plant, type Reader } from "./reader.js";

/** The folders of one reader's attempts: its own, and one beside it that must stay empty. */
export interface Ground {
  folder: string;
  outside: string;
}

/** Makes both folders. */
export function groundIn(root: string): Ground {
  const ground = { folder: join(root, "inside"), outside: join(root, "outside") };
  for (const folder of Object.values(ground)) mkdirSync(folder, { recursive: true });
  return ground;
}

export type Outcome = "accepted" | "refused";

/** The longest time that any of these small inputs may take, in milliseconds: a thousand times what they do take. */
const patience = 10_000;
const longestMessage = 20_000;
/** What the language says of a program's mistakes, and no reader of files. */
const mistakes = [TypeError, RangeError, ReferenceError, SyntaxError, URIError, EvalError];

/**
 * Reads damaged files.
 *
 * @throws Error that says which rule the reader broke: it gives a value or an error with a message that names the file and is none
 *   of the language's own, it takes its time, and nothing appears outside of its folder
 */
export async function attempt(reader: Reader, files: Files, { folder, outside }: Ground): Promise<Outcome> {
  plant(folder, files);
  const start = performance.now();
  let outcome: Outcome = "accepted";
  try {
    await reader.read(folder);
  } catch (error) {
    outcome = "refused";
    checkRefusal(reader, error, folder, files);
  }
  const took = performance.now() - start;
  if (took > patience) throw new Error(`took ${(took / 1000).toFixed(1)} s`);
  const left = [
    ...readdirSync(outside),
    ...readdirSync(dirname(folder)).filter((name) => !["inside", "outside"].includes(name)),
  ];
  if (left.length > 0) throw new Error(`left ${left.join(", ")} outside of its folder`);
  return outcome;
}

function checkRefusal(reader: Reader, error: unknown, folder: string, files: Files): void {
  if (!(error instanceof Error)) throw new Error(`threw what is no Error: ${String(error)}`);
  const broken = (rule: string) => new Error(`${rule}: ${error.stack ?? error}`, { cause: error });
  if (reader.forgiving) throw broken("is to read whatever is damaged");
  if (mistakes.some((kind) => error instanceof kind)) throw broken("threw an error of the language's");
  for (let { cause } = error; cause instanceof Error; { cause } = cause)
    if (cause instanceof ReferenceError || (cause instanceof TypeError && !("code" in cause)))
      throw broken("passes on an error of the language's");
  const { message } = error;
  const names = [folder, ...Object.keys(files)];
  if (!names.some((name) => message.includes(name))) throw broken("names no file");
  if (reader.line !== undefined) {
    const begins = new RegExp(`^${reader.line.replace("PATH", join(folder, Object.keys(files)[0]!))}`);
    const other = message.split("\n").find((line) => !begins.test(line));
    if (other !== undefined) throw broken(`has a line that does not begin with ${begins}, ${other}`);
  }
  if (message.length > longestMessage) throw broken(`has a message of ${message.length} characters`);
  if (/\[object |\bundefined\b|^ +at .*:\d+:\d+/m.test(message))
    throw broken("shows what is inside of the program");
}
