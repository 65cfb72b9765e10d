import { readdirSync, renameSync } from "node:fs";
import { extname, join } from "node:path";

/** Kinds of files that browsers show, whatever a static server says of them. */
const shown = new Set([".png", ".svg", ".json"]);

/** Gives sources that pages link to, which the site holds copies of, an ending with which browsers show them as text. */
export function showLinkedFiles(app) {
  app.renderer.on("endPage", (page) => {
    page.contents = page.contents?.replace(
      /(href="(?:\.\.\/)*media\/)([^"#]+)/g,
      (_, start, file) => start + asShown(file),
    );
  });
  app.renderer.on("endRender", ({ outputDirectory }) => {
    const folder = join(outputDirectory, "media");
    for (const file of readdirSync(folder)) renameSync(join(folder, file), join(folder, asShown(file)));
  });
}

const asShown = (file) => (shown.has(extname(file)) ? file : `${file}.txt`);
