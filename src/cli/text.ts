/** Replaces the control characters in a text that comes from files, since they could control the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/** Makes one line of a text that comes from files, such as the name of one. */
export function oneLine(text: string): string {
  return printable(text.replaceAll("\n", "\ufffd"));
}

/**
 * Lays rows out as a table of text, with the first column aligned to the left and all others to the right.
 *
 * @param rows the cells of each row; the first row holds the headings
 */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, c) =>
    Math.max(...rows.map((row) => row[c]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      widths
        .map((width, c) => (c === 0 ? (row[c] ?? "").padEnd(width) : (row[c] ?? "").padStart(width)))
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}
