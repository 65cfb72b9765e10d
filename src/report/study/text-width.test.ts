import { expect, test } from "vitest";
import { resvg } from "../../packages.js";
import { fontFiles } from "./png.js";
import { fitText, textWidth } from "./text-width.js";

/** The width that a text is drawn with, at a size of 100. */
function drawnWidth(text: string): number {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9000" height="200"><text x="100" y="120" font-size="100">${text}</text></svg>`;
  const font = { fontFiles: fontFiles(), loadSystemFonts: false, defaultFontFamily: "Open Sans" };
  return new (resvg().Resvg)(svg, { font }).getBBox()!.width;
}

test.each([
  "strict (reference)",
  "label-smoothing",
  "k=10,primaryScore=0.85",
  "−1.97 (−2.25 to −1.70)",
  "MAXIMUM MIXUP WITH CUTMIX",
  "illicit fillet, still little",
  "0123456789",
])("has room for %s, and not much more", (text) => {
  const drawn = drawnWidth(text);
  expect(textWidth(text, 100)).toBeGreaterThan(0.97 * drawn);
  expect(textWidth(text, 100)).toBeLessThan(1.35 * drawn);
});

test("a text that is too wide ends with an ellipsis, within its room", () => {
  expect(fitText("strict", 12, 100)).toBe("strict");
  const cut = fitText("a-very-long-name-of-an-arm", 12, 100);
  expect(cut).toMatch(/^a-very-.*…$/);
  expect(textWidth(cut, 12)).toBeLessThanOrEqual(100);
});
