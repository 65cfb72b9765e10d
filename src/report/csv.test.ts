import fc from "fast-check";
import { expect, test } from "vitest";
import { csv } from "./csv.js";

test("writes headings and rows, numbers with all their digits, nothing for what is missing", () => {
  expect(
    csv(
      ["arm", "top1"],
      [
        ["strict", 0.1 + 0.2],
        ["plain", undefined],
        ["lost", Number.NaN],
      ],
    ),
  ).toBe("arm,top1\nstrict,0.30000000000000004\nplain,\nlost,\n");
});

test("quotes commas, quotes and line breaks", () => {
  expect(csv(["a"], [['k=5,score="0.8"\nx']])).toBe('a\n"k=5,score=""0.8""\nx"\n');
});

test("no text begins as a formula of a spreadsheet does; numbers keep their sign", () => {
  for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
    expect(csv(["a"], [[text]])).toBe(`a\n'${text}\n`);
  expect(csv(["a"], [[-0.5]])).toBe("a\n-0.5\n");
});

test("any text comes back from a reader of RFC 4180, but for the apostrophe", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 4 }), (cells) => {
      const [, row] = read(
        csv(
          cells.map((_, i) => `c${i}`),
          [cells],
        ),
      );
      expect(row).toEqual(cells.map((cell) => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell)));
    }),
    { numRuns: 50 },
  );
});

/** Reads CSV with line feeds character by character. */
function read(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (quoted && character === '"' && text[i + 1] === '"') cell += text[i++];
    else if (character === '"') quoted = !quoted;
    else if (!quoted && (character === "," || character === "\n")) {
      row.push(cell);
      cell = "";
      if (character === "\n") {
        rows.push(row);
        row = [];
      }
    } else cell += character;
  }
  return rows;
}
