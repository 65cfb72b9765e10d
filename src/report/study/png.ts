/** Turns the figures into PNG files, with a font that comes along, so that no machine needs one. */
import { createRequire } from "node:module";
import { resvg, sharp } from "../../packages.js";

const require = createRequire(import.meta.url);
const font = (style: string) => require.resolve(`@expo-google-fonts/open-sans/${style}.ttf`);
/** The paths of the font that PNG files are set in. */
export const fontFiles = () => [
  font("400Regular/OpenSans_400Regular"),
  font("600SemiBold/OpenSans_600SemiBold"),
];

/** Finds characters beyond those that Open Sans has: Latin, Greek, Cyrillic, punctuation and some signs. */
const foreign = /[\u{530}-\u{1dff}\u{2300}-\u{10ffff}]/u;

/** The pixels of the PNG for one unit of the SVG. */
const scale = 2;

/**
 * Draws an SVG file's text as a PNG of twice its size, with at most 256 colours, which makes it a quarter as
 * large.
 *
 * @param svg a whole document with its colours in it; its text is set in Open Sans, whatever fonts it names
 */
export async function pngOf(svg: string): Promise<Uint8Array> {
  const drawn = new (resvg().Resvg)(svg, {
    fitTo: { mode: "zoom", value: scale },
    font: {
      fontFiles: fontFiles(),
      // With the machine's fonts a picture would depend on it; they are read only for what Open Sans lacks.
      loadSystemFonts: foreign.test(svg),
      defaultFontFamily: "Open Sans",
      sansSerifFamily: "Open Sans",
    },
  }).render();
  const { width, height } = drawn;
  return await sharp()(drawn.pixels, { raw: { width, height, channels: 4 } })
    .flatten({ background: "#ffffff" })
    .png({ palette: true, compressionLevel: 9 })
    .toBuffer();
}
