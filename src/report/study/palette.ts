/** The colours of a study's charts: names of the page's style, or values that a file carries itself. */

/** The colours that a chart is drawn with. */
export interface Palette {
  ink: string;
  soft: string;
  line: string;
  /** The ground that the chart lies on, for the halos of text. */
  card: string;
  /** The colours of arms, in the order in which they are given out; the reference has one of its own. */
  arms: readonly string[];
  reference: string;
  /** The names of fonts, best first. */
  font: string;
}

/**
 * The arms' colours on white. They stem from the palette of Okabe and Ito (2008) and were moved, by a search, until
 * they could be told apart under simulated protanopia and deuteranopia as well, the first ones best; the test beside
 * this file holds them to it.
 */
const onWhite = [
  "#a83c00",
  "#195ba2",
  "#508359",
  "#d478ac",
  "#d58600",
  "#4499e9",
  "#520525",
  "#6ca251",
  "#0634a0",
  "#cd7e80",
  "#1d7065",
  "#6c5234",
] as const;

/** The same colours on a dark ground. */
const onBlack = [
  "#dc5f10",
  "#219bfa",
  "#5cc87b",
  "#a864a1",
  "#f4dd43",
  "#97c2fa",
  "#c0647b",
  "#c1fe96",
  "#7c95dc",
  "#f7bfb5",
  "#3db0a6",
  "#a58a51",
] as const;

const grey = { onWhite: "#3f4856", onBlack: "#c3cad4" } as const;

/** The colours of a chart in the page, which change with its light and dark mode. */
export const pagePalette: Palette = {
  ink: "var(--ink)",
  soft: "var(--soft)",
  line: "var(--line)",
  card: "var(--card)",
  arms: onWhite.map((_, i) => `var(--a${i})`),
  reference: "var(--reference)",
  font: "inherit",
};

/** The colours of a chart in a file of its own, on white. */
export const filePalette: Palette = {
  ink: "#1d2430",
  soft: "#5c6675",
  line: "#e3e0da",
  card: "#ffffff",
  arms: onWhite,
  reference: grey.onWhite,
  font: "'Open Sans', 'Segoe UI', 'DejaVu Sans', sans-serif",
};

const variables = (colours: readonly string[], reference: string) =>
  [`--reference: ${reference};`, ...colours.map((colour, i) => `--a${i}: ${colour};`)].join(" ");

/** The style sheet that gives the page's names their colours. */
export const paletteStyle = `
:root { ${variables(onWhite, grey.onWhite)} }
@media (prefers-color-scheme: dark) { :root { ${variables(onBlack, grey.onBlack)} } }
@media print { :root { ${variables(onWhite, grey.onWhite)} } }
`;
