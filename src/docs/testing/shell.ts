/** Splits shell text into its simple commands, as far as documentation uses the shell. */

/** A command: its words without quotes, variables as they are written. */
export type Command = string[];

/** What stands between commands. */
const separators = new Set(["\n", ";", "&", "&&", "|", "||", "(", ")", "<("]);
/** Words after which a command begins, and those that end what they began. */
const keywords = new Set(["do", "then", "else", "time", "exec"]);

/**
 * Lists the commands of a text in their order. Comments, redirections and settings of variables before a command are left out;
 * of loops, what they do is listed, and `for … in …` itself is not.
 *
 * @throws Error that shows what it does not understand
 */
export function commandsOf(text: string): Command[] {
  const commands: Command[] = [];
  let words: string[] = [];
  const end = () => {
    const command = stripped(words);
    if (command.length > 0) commands.push(command);
    words = [];
  };
  const token =
    /\\\n|[ \t]+|#[^\n]*|<\(|\d?[<>]+&?[ \t]*(?:\d|[^\s;&|()<>]+)|&&|\|\||[\n;&|()]|(?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^\s;&|()<>'"\\])+/gy;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const word = token.exec(text)?.[0];
    if (word === undefined) throw new Error(`${text.slice(at, at + 20)}: is not understood`);
    if (separators.has(word)) end();
    else if (!/^(\s|\\\n|#|\d?[<>])/.test(word)) words.push(unquoted(word));
  }
  end();
  return commands;
}

function stripped(words: readonly string[]): string[] {
  const left = [...words];
  while (left.length > 0 && (keywords.has(left[0]!) || /^\w+=/.test(left[0]!))) left.shift();
  return ["for", "done", "fi"].includes(left[0]!) ? [] : left;
}

const unquoted = (word: string) =>
  word.replace(
    /\\(.)|'([^']*)'|"((?:\\.|[^"\\])*)"/g,
    (_, escaped, single, double) => escaped ?? single ?? double,
  );
