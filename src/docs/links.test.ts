/** Links of the repository's Markdown, as they are followed where it is browsed: files, and anchors as GitHub makes them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, it } from "vitest";
import { type Page, proseOf, readPages, root } from "./testing/pages.js";

const pages = readPages();
/** Files that pages tell their readers to make. */
const toBeMade = ["src/analysis/metrics/margin.ts"];
const anchorsByPage = new Map(pages.map((page) => [page.path, anchorsOf(page)]));

it.each(pages)("$path: relative links lead to files and anchors", (page) => {
  expect(linksOf(page).flatMap((link) => problemsOf(page.path, link) ?? [])).toEqual([]);
});

it.each(pages)("$path: files that it names are there", (page) => {
  const named = [
    ...proseOf(page).matchAll(
      /`((?:src|native|bench|docs|deploy|examples|faults|fuzz|sanitize)\/[^`\s*{]*)`/g,
    ),
  ];
  const missing = named
    .map(([, file]) => file!)
    .filter(
      (file) => !/[A-Z…]{2,}|…/.test(file) && !toBeMade.includes(file) && !existsSync(join(root, file)),
    );
  expect(missing).toEqual([]);
});

it("there are links, with and without anchors", () => {
  const links = pages.flatMap(linksOf);
  expect(links.length).toBeGreaterThan(100);
  expect(links.filter((link) => link.includes("#")).length).toBeGreaterThan(20);
});

it("sources name pages and anchors that are there", () => {
  const problems: string[] = [];
  for (const file of readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })) {
    if (!/\.(ts|py)$/.test(file) || file.endsWith(".test.ts")) continue;
    for (const [link] of readFileSync(join(root, "src", file), "utf8").matchAll(
      /\b(docs|deploy)\/[\w-]+\.md(#[\w-]+)?/g,
    ))
      problems.push(...(problemsOf("README.md", link) ?? []).map((problem) => `src/${file}: ${problem}`));
  }
  expect(problems).toEqual([]);
});

it("every guide is on the documentation site", async () => {
  const { pages: shown } = (await import(/* @vite-ignore */ `${root}docs/site/pages.mjs`)) as {
    pages: { file: string }[];
  };
  const guides = pages.map(({ path }) => path).filter((path) => /^docs\//.test(path));
  expect(shown.map(({ file }) => file)).toEqual(expect.arrayContaining(guides));
});

/** The relative targets of a page's links and pictures. */
function linksOf(page: Page): string[] {
  const text = proseOf(page).replace(/`[^`\n]*`/g, "code");
  const targets = [...text.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)|(?:src|href)="([^"]+)"/g)];
  return targets
    .map(([, link, attribute]) => (link ?? attribute)!)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** What is wrong with a link on a page. */
function problemsOf(path: string, link: string): string[] | undefined {
  const [file, anchor] = link.split("#") as [string, string?];
  const target = file === "" ? path : normalize(join(dirname(path), file));
  if (target.startsWith("..")) return [`${link} leads out of the repository`];
  if (!existsSync(join(root, target))) return [`${link}: there is no ${target}`];
  if (anchor === undefined) return undefined;
  const anchors = anchorsByPage.get(target);
  if (!anchors) return [`${link}: the anchors of ${target} are not known`];
  return anchors.has(anchor) ? undefined : [`${link}: ${target} has no such heading`];
}

/** The anchors that GitHub gives a page's headings. */
function anchorsOf(page: Page): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of proseOf(page).matchAll(/^#{1,6} +(.*?) *#*$/gm)) {
    const words = heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = words.replace(/[^\p{L}\p{N}\p{M} _-]/gu, "").replaceAll(" ", "-");
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}
