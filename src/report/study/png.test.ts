import { expect, test } from "vitest";
import { sharp } from "../../packages.js";
import { pngOf } from "./png.js";

const svg = (text: string, font = "Open Sans") =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40" font-family="${font}"><rect width="120" height="40" fill="#fff"/><text x="10" y="26" font-size="18">${text}</text></svg>`;

/** Counts dark pixels in a rectangle of a picture. */
async function ink(png: Uint8Array): Promise<number> {
  const { data } = await sharp()(png).greyscale().raw().toBuffer({ resolveWithObject: true });
  return data.filter((value) => value < 100).length;
}

test("draws at twice the size, with a palette", async () => {
  const { width, height, isPalette } = await sharp()(await pngOf(svg("strict"))).metadata();
  expect([width, height]).toEqual([240, 80]);
  expect(isPalette).toBe(true);
});

test("text comes out in the font that lies with the package, whatever fonts are asked for", async () => {
  const png = await pngOf(svg("strict −0.5"));
  expect(await ink(png)).toBeGreaterThan(300);
  expect(Buffer.compare(png, await pngOf(svg("strict −0.5", "No Such Font")))).toBe(0);
  // Different letters make different pictures: what is drawn is no row of empty boxes.
  expect(await ink(await pngOf(svg("iiiiii")))).toBeLessThan(await ink(await pngOf(svg("mmmmmm"))));
});

test("a text that is no XML is refused", async () => {
  await expect(pngOf("<svg><text>")).rejects.toThrow();
});
