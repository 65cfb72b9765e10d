/**
 * Draws what `endurance.ts` has measured: memory, and the processor's time a step, over the minutes.
 *
 *   npx tsc -p bench && node build/bench/probes/endurance-picture.js bench/results/endurance.json docs/endurance.svg
 */
import { readFileSync, writeFileSync } from "node:fs";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) throw new Error("which result, and which file to write?");
const { samples } = JSON.parse(readFileSync(from, "utf8")) as { samples: Record<string, number>[] };
const { document } = parseHTML("<!doctype html><html><body></body></html>");
const panels: [key: string, title: string][] = [
  ["resident", "resident memory, MiB"],
  ["heap", "V8's heap, MiB"],
  ["cpuMillisecondsPerStep", "processor's time a step, ms"],
];
const [width, height, gap] = [640, 150, 10];
const pictures = panels.map(([key, title], i) => {
  const plot = Plot.plot({
    document: document as never,
    ...{ width, height, marginLeft: 50, grid: true },
    x: { label: i === panels.length - 1 ? "minutes" : null },
    y: { label: title, domain: [0, 1.2 * Math.max(...samples.map((sample) => sample[key]!))] },
    marks: [Plot.lineY(samples, { x: "minutes", y: key, stroke: "#3b6fb6" })],
  });
  plot.setAttribute("y", String(i * (height + gap)));
  // Without Plot's own style sheet, which other programs do not read.
  return (plot.outerHTML as string)
    .replace(/<style>[^<]*<\/style>/, "")
    .replace(/^<svg[^>]*>/, (opening) => `${opening}<title>${title}</title>`);
});
const all = panels.length * (height + gap);
writeFileSync(
  to,
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${all}" viewBox="0 0 ${width} ${all}">` +
    "<title>Memory and the processor's time a step during a long training</title>" +
    `<rect width="100%" height="100%" fill="white"/>${pictures.join("")}</svg>\n`,
);
