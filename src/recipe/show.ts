/** Values and keys of a recipe as messages show them: on one line, and never much longer than that. */

const longest = 60;

/** Cuts a text that is too long for a message. */
export function shorten(text: string, most = 200): string {
  return text.length > most ? `${text.slice(0, most - 3)}...` : text;
}

/**
 * Shows a value as JSON does, with NaN and infinities by their names, which JSON lacks. A recipe written in code may hold values
 * that JSON cannot express, which are shown by their types.
 */
export function show(value: unknown): string {
  return shorten(value === null ? "nothing" : asText(value, 0), longest);
}

/** Shows the path of a key, `student.hardWeight`; a key with spaces, or with what is not seen, stands in quotes. */
export function showPath(path: readonly PropertyKey[]): string {
  return path
    .map((key) =>
      /^(?!.*")[\p{L}\p{N}\p{P}\p{S}]+$/u.test(String(key)) ? shorten(String(key), longest) : show(key),
    )
    .join(".");
}

function asText(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      // What JSON leaves as it is, and no reader of a terminal sees: marks of byte order and direction, line separators.
      return JSON.stringify(value.slice(0, 2 * longest)).replace(
        /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
    case "number":
    case "boolean":
      return String(value);
    case "object": {
      if (value === null) return "null";
      if (depth > 3) return "...";
      if (Array.isArray(value)) return `[${value.slice(0, longest).map((item) => asText(item, depth + 1))}]`;
      const entries = Object.entries(value).slice(0, longest);
      return `{${entries.map(([key, inner]) => `${asText(key, depth + 1)}:${asText(inner, depth + 1)}`)}}`;
    }
    default:
      return typeof value;
  }
}
