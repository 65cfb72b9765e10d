import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import { expect, onTestFinished, test } from "vitest";
import { resvg } from "../../packages.js";
import type { StudyResult } from "../../study/index.js";
import { type DrawnArm, drawnArms, drawnGrid, makeStudy } from "../../study/testing/make-study.js";
import { type StudyReportOptions, writeStudyReport } from "./index.js";

/** Writes a report into a fresh folder, without PNG files, which take half a second each. */
async function report(study: StudyResult, options: StudyReportOptions = { png: false }) {
  const directory = mkdtempSync(join(tmpdir(), "lyceum-study-report-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const written = await writeStudyReport(study, directory, options);
  const read = (path: string) => readFileSync(join(directory, path), "utf8");
  const source = read("report.html");
  const { document } = parseHTML(source);
  const texts = (selector: string) =>
    [...document.querySelectorAll(selector)].map((node) => node.textContent!.replace(/\s+/g, " ").trim());
  return {
    directory,
    written,
    read,
    source,
    document,
    texts,
    figures: readdirSync(join(directory, "figures")),
  };
}

const two = { strict: drawnArms.strict!, tolerant: drawnArms.tolerant! };

test("the verdict comes first, then accuracy, differences, the table, the rest, and how it was made", async () => {
  const { texts, document } = await report(makeStudy());
  expect(texts("h1")).toEqual(["Tolerant and strict patriarchs on 10,000 images"]);
  expect(texts(".verdict")[0]).toMatch(/tolerant/);
  expect(texts("h2")).toEqual([
    "Accuracy by generation",
    "Differences to strict",
    "Results",
    "Accuracy, seed by seed",
    "Cost and gain",
    "Score by rank",
    "Reliability",
    "What the secondary classes are",
    "Diversity, and what an ensemble gains",
    "What the arms are",
    "How sure this is",
    "Made with",
  ]);
  expect(document.querySelectorAll(".warning")).toHaveLength(0);
  for (const svg of document.querySelectorAll("figure .scroll > svg"))
    expect(svg.getAttribute("aria-label")).toMatch(/\w+ .*\w+/);
});

test("the table holds means and deviations that follow from the results", async () => {
  const study = makeStudy({ arms: two, seeds: [0, 1] });
  const { texts } = await report(study);
  const [a, b] = study.arms[0]!.lines.map(({ networks }) => 100 * networks[2]!.test!.top1);
  // The standard deviation of two values is |a − b| / √2.
  const cell = `${((a! + b!) / 2).toFixed(2)} ± ${(Math.abs(a! - b!) / Math.SQRT2).toFixed(2)}`;
  expect(texts("tbody tr")[0]).toContain(cell);
  // Where a later network has fewer seeds than the first, the table says of how many its mean is.
  const half = makeStudy({ arms: two, finished: (_, seed, generation) => seed < 2 || generation === 0 });
  expect((await report(half)).texts("tbody tr")[0]).toMatch(
    /^strict5\d\d\.\d\d ± \d\.\d\d\d\d\.\d\d ± \d\.\d\d \(2\)/,
  );
});

test("says of seeds that all differ by the same that nothing is told, and fills no mark", async () => {
  const study = makeStudy({ arms: two, seeds: [0, 1] });
  for (const { name, lines } of study.arms)
    for (const { seed, networks } of lines)
      for (const network of networks)
        network!.test!.top1 = (name === "tolerant" ? 0.51 : 0.5) + 0.01 * network!.generation + 0.02 * seed;
  const { source, read } = await report(study);
  const forest = read("figures/differences.svg");
  expect(forest).toContain("+1.00 (2 seeds)");
  expect(forest).not.toMatch(/\+1\.00 \(\+1\.00 to/);
  expect(source).toContain("since the differences of all 2 seeds are equal");
  expect(source).not.toContain("p below");
});

test("needs nothing from elsewhere, and every file is named", async () => {
  const { source, document, written, figures } = await report(makeStudy({ arms: two }));
  expect(document.querySelectorAll("script, link, iframe, object, img")).toHaveLength(0);
  expect(source.replaceAll("http-equiv", "")).not.toMatch(/https?:|url\(|@import/);
  expect(written.map((path) => path.split("/").at(-1))).toEqual([
    "report.html",
    "report.md",
    "networks.csv",
    "ensembles.csv",
    "differences.csv",
    "accuracy.svg",
    "differences.svg",
    "accuracy-by-seed.svg",
    "cost.svg",
    "score-by-rank.svg",
    "reliability.svg",
    "superclass-share.svg",
    "diversity.svg",
  ]);
  expect(figures).toHaveLength(8);
});

test("figures in files carry their own colours and are XML; the same results give the same bytes", async () => {
  const first = await report(makeStudy({ arms: two }));
  const second = await report(makeStudy({ arms: two }));
  expect(second.source).toBe(first.source);
  for (const name of first.figures) {
    const svg = first.read(`figures/${name}`);
    expect(second.read(`figures/${name}`)).toBe(svg);
    expect(svg).not.toMatch(/var\(|NaN|undefined/);
    // resvg reads strict XML, and throws at anything else.
    expect(new (resvg().Resvg)(svg, { font: { loadSystemFonts: false } }).width).toBeGreaterThan(400);
  }
});

test("PNG files lie beside the SVG files", async () => {
  const { figures, directory } = await report(makeStudy({ arms: { strict: two.strict }, seeds: [0] }), {});
  const pngs = figures.filter((name) => name.endsWith(".png"));
  expect(pngs).toContain("accuracy.png");
  expect(pngs.length).toBe(figures.length / 2);
  for (const name of pngs)
    expect(
      readFileSync(join(directory, "figures", name))
        .subarray(1, 4)
        .toString(),
    ).toBe("PNG");
});

test("an unfinished study says so, and shows what is there", async () => {
  const study = makeStudy({
    arms: two,
    finished: (arm, seed, generation) => arm === "strict" && seed + generation < 3,
  });
  const { texts } = await report(study);
  expect(texts(".warning")).toEqual(["Not finished: 6 of 30 networks so far."]);
  expect(texts("tbody tr")[0]).toMatch(/^strict ?3 of 5/);
  expect(texts("tbody tr")[1]).toMatch(/^tolerant ?0 of 5 ?–/);
});

test("nothing trained yet, one seed, one generation, one arm: a page all the same", async () => {
  const none = await report(makeStudy({ arms: two, finished: () => false }));
  expect(none.texts(".warning")).toHaveLength(1);
  expect(none.figures).toEqual([]);
  const one = await report(makeStudy({ arms: { strict: { ...two.strict, top1: [0.5] } }, seeds: [3] }));
  expect(one.source).not.toMatch(/NaN|undefined|Infinity/);
  expect(one.figures).toEqual([
    "accuracy.svg",
    "cost.svg",
    "reliability.svg",
    "score-by-rank.svg",
    "superclass-share.svg",
  ]);
});

test("arms of different lengths and more of them than there are colours", async () => {
  const arms = Array.from({ length: 14 }, (_, i): [string, DrawnArm] => [
    `arm-${i}`,
    {
      methods: [["patriarch", `method ${i}`]],
      top1: [0.5 + 0.01 * i, 0.55, 0.56, 0.57, 0.58].slice(0, 1 + (i % 5)),
    },
  ]);
  const { texts, read } = await report(makeStudy({ arms: Object.fromEntries(arms), seeds: [0, 1, 2] }));
  const legend = texts("figure ul.legend")[0]!;
  expect(legend).toContain("arm-0 (reference)");
  expect(legend.match(/arm-\d+/g)).toHaveLength(12);
  expect(texts("tbody")[0]!.match(/arm-\d+/g)).toHaveLength(14);
  expect(read("data/networks.csv").split("\n").length).toBeGreaterThan(14 * 3);
});

test("a search shows its heat map first, and names the best pair on the held-out images", async () => {
  const arms = drawnGrid([3, 5, 10], [0.6, 0.8]);
  const { texts, read } = await report(makeStudy({ arms, part: "heldOut", seeds: [0, 1] }));
  expect(texts("h2")[0]).toBe("Student 2 by patriarch.k and patriarch.primaryScore");
  expect(texts(".verdict")[0]).toMatch(/^Of 6 arms, k=\d+,primaryScore=0\.\d ends highest: /);
  expect(texts(".kicker")[0]).toContain("a search on held-out images");
  // A search claims nothing, and speaks of no other images than the held-out ones.
  expect(texts("main")[0]).not.toMatch(/The claim|Filled marks|\bp (below )?0\.|not told from/);
  expect(texts("main")[0]!.replace("The test images were not loaded.", "")).not.toMatch(
    /test (images|accuracy)/,
  );
  expect(read("data/networks.csv")).not.toContain(",test,");
  expect(read("figures/search.svg").match(/>\d\d\.\d\d</g)).toHaveLength(6);
});

test("text from a study's file is only ever text", async () => {
  const evil = `<img src=x onerror="alert(1)">&'`;
  const study = makeStudy({
    title: evil,
    description: evil,
    arms: { strict: two.strict, [evil]: { ...two.tolerant, methods: [[evil, evil]] } },
    notes: [evil],
    seeds: [0, 1],
  });
  const { document, texts, read, figures } = await report(study, {
    png: false,
    machines: [evil],
    commands: [evil],
    software: [evil],
    file: evil,
  });
  expect(document.querySelectorAll("img")).toHaveLength(0);
  expect(texts("h1")).toEqual([evil]);
  for (const name of figures) {
    const svg = read(`figures/${name}`);
    expect(svg).not.toContain("<img");
    expect(new (resvg().Resvg)(svg, { font: { loadSystemFonts: false } }).width).toBeGreaterThan(400);
  }
  const formula = makeStudy({ arms: { "=1+1": two.strict }, seeds: [0] });
  expect((await report(formula)).read("data/networks.csv")).toContain("\n'=1+1,0,0,");
});

test("says how it was made, as far as that is known", async () => {
  const study = makeStudy({ arms: two, seeds: [0] });
  const { texts } = await report(study, {
    png: false,
    machines: ["one machine"],
    commands: ["lyceum study few-data"],
    file: "seeds: 1",
  });
  const facts = texts("dl.facts dd").join("\n");
  expect(facts).toContain("one machine");
  expect(facts).toContain("AVX-512, libtorch 2.6.0, 2 threads");
  expect(facts).toContain("2026-11-28");
  expect(texts("pre")).toEqual(["$ lyceum study few-data", "seeds: 1"]);
});
