/** The widths of characters in units of the font's size, as in Open Sans or somewhat wider. */
const widths: [pattern: RegExp, width: number][] = [
  [/[ijlI.,:;'|!()[\]{}/\\ ]/, 0.31],
  [/[frt"*-]/, 0.4],
  [/[mwMW@%]/, 0.92],
  [/[A-Z&–]/, 0.67],
  [/[\u{2500}-\u{10ffff}]/u, 1.05],
];

/**
 * Estimates the width of a text, to make room for it where nothing can measure it; it is rather too wide than
 * too narrow.
 *
 * @param size the font's size; the width has the same unit
 */
export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const character of text) width += widths.find(([pattern]) => pattern.test(character))?.[1] ?? 0.58;
  return width * size;
}

/** Shortens a text that is wider than some room, with an ellipsis at its end. */
export function fitText(text: string, size: number, room: number): string {
  if (textWidth(text, size) <= room) return text;
  const characters = [...text];
  while (characters.length > 0 && textWidth(`${characters.join("")}…`, size) > room) characters.pop();
  return `${characters.join("")}…`;
}
