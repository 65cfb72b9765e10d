/** Pieces of Markdown out of texts that come from files, which could otherwise be markup themselves. */

/** Makes one line of plain text, whatever the text holds: what Markdown, HTML or formulas would take for markup is escaped. */
export function plainText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ");
  return line
    .trim()
    .replace(/[\\`*_[\]<>#|~&!$@^]/g, "\\$&")
    .replace(/^(\d*)([.)](?=\s|$)|(?<!\d)[-+=])/, "$1\\$2");
}

/** Makes a block of code, fenced so that nothing within ends it. */
export function codeBlock(language: string, code: string): string {
  const longest = Math.max(2, ...(code.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${code.trimEnd()}\n${fence}`;
}

/** Makes a table of plain texts. The first column is aligned to the left, all others to the right. */
export function textTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(headings.map(plainText)),
    line(headings.map((_, i) => (i === 0 ? "---" : "---:"))),
    ...rows.map((row) => line(row.map(plainText))),
  ].join("\n");
}
