import { expect, test } from "vitest";
import { filePalette, paletteStyle } from "./palette.js";

type Triple = [number, number, number];

/** The three channels of a colour, linear, in [0, 1]. */
function linear(hex: string): Triple {
  return [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as Triple;
}

const times = (matrix: readonly Triple[], [a, b, c]: Triple) =>
  matrix.map(([x, y, z]) => x * a + y * b + z * c) as Triple;

/** Simulations of full dichromacy in linear RGB (Machado, Oliveira, Fernandes 2009, table 1, severity 1.0). */
const visions: Record<string, readonly Triple[]> = {
  "normal vision": [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
};

/** CIELAB under D65. */
function lab(rgb: Triple): Triple {
  const xyz = times(
    [
      [0.4124, 0.3576, 0.1805],
      [0.2126, 0.7152, 0.0722],
      [0.0193, 0.1192, 0.9505],
    ],
    rgb.map((value) => Math.min(1, Math.max(0, value))) as Triple,
  );
  const [x, y, z] = xyz.map((value, i) => {
    const t = value / [0.9505, 1, 1.089][i]!;
    return t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29;
  }) as Triple;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const distance = (one: Triple, other: Triple) => Math.hypot(...one.map((value, i) => value - other[i]!));
const luminance = (hex: string) => times([[0.2126, 0.7152, 0.0722]], linear(hex))[0];
const contrast = (one: string, other: string) => {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high! + 0.05) / (low! + 0.05);
};

/** The colours of the page in one mode, as its style sheet names them. */
function pageColours(style: string): { arms: string[]; reference: string } {
  const found = [...style.matchAll(/--(a\d+|reference): (#[0-9a-f]{6});/g)];
  return {
    reference: found.find(([, name]) => name === "reference")![2]!,
    arms: found.filter(([, name]) => name !== "reference").map(([, , colour]) => colour!),
  };
}

const [light, dark] = paletteStyle.split("@media").slice(0, 2).map(pageColours) as [
  ReturnType<typeof pageColours>,
  ReturnType<typeof pageColours>,
];

test("the page has the file's colours in light mode, and as many in dark mode", () => {
  expect(light).toEqual({ arms: filePalette.arms, reference: filePalette.reference });
  expect(new Set(dark.arms).size).toBe(12);
});

test.each(Object.keys(visions))("the reference and the arms differ for eyes with %s", (vision) => {
  // A distance of 2.3 is just noticeable; dots and thin lines need several times as much.
  const wanted = [
    { arms: 5, apart: 26 },
    { arms: 8, apart: 19 },
    { arms: 12, apart: 12 },
  ];
  for (const mode of [light, dark])
    for (const { arms, apart } of wanted) {
      const shown = [mode.reference, ...mode.arms.slice(0, arms)];
      const seen = shown.map((hex) => lab(times(visions[vision]!, linear(hex))));
      for (const [i, one] of seen.entries())
        for (const other of seen.slice(0, i)) expect(distance(one, other)).toBeGreaterThan(apart);
    }
});

test("lines and dots stand out from the ground in both modes", () => {
  for (const hex of [...light.arms, light.reference]) expect(contrast(hex, "#ffffff")).toBeGreaterThan(2.6);
  for (const hex of [...dark.arms, dark.reference]) expect(contrast(hex, "#1c2128")).toBeGreaterThan(3);
});
