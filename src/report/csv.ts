/** A cell of a table: a text, a number, or nothing. */
export type Cell = string | number | undefined;

/**
 * Writes a table as CSV (RFC 4180, with a line feed at the end of each row). Numbers keep all their digits;
 * what is missing, and what is no finite number, is an empty cell.
 *
 * A text that a spreadsheet would take for a formula, because it begins with =, +, - or @, gets an apostrophe in
 * front, which spreadsheets read as "this is text".
 */
export function csv(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [headings, ...rows].map((row) => `${row.map(cellText).join(",")}\n`).join("");
}

function cellText(cell: Cell): string {
  if (cell === undefined) return "";
  if (typeof cell === "number") return Number.isFinite(cell) ? String(cell) : "";
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
