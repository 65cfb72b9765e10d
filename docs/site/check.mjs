/**
 * Checks the built site: every link leads to a file of the site, and to an anchor that is there; nothing is fetched from
 * elsewhere.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const site = fileURLToPath(new URL("../../build/site/", import.meta.url));
const files = readdirSync(site, { recursive: true }).filter((file) => file.endsWith(".html"));
const texts = new Map(files.map((file) => [file, readFileSync(join(site, file), "utf8")]));
const anchors = new Map(
  [...texts].map(([file, text]) => [
    file,
    new Set([...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => decoded(id))),
  ]),
);
const problems = new Set();
let links = 0;
for (const [file, text] of texts) {
  for (const [, tag, attribute, target] of text.matchAll(/<(\w+)(?: [^<>]*?)? (href|src)="([^"]*)"/g)) {
    const isLink = tag === "a" && attribute === "href";
    const url = new URL(decoded(target), new URL(file, "site://x/"));
    if (url.protocol !== "site:") {
      if (!isLink && url.protocol !== "data:") problems.add(`${file}: <${tag}> is fetched from ${target}`);
      continue;
    }
    links++;
    const path = decodeURIComponent(url.pathname.slice(1)) || "index.html";
    const id = decodeURIComponent(url.hash.slice(1));
    if (!existsSync(join(site, path))) problems.add(`${file}: there is no ${relative("/", `/${path}`)}`);
    else if (isLink && id && anchors.has(path) && !anchors.get(path).has(id))
      problems.add(`${file}: ${path} has no anchor #${id}`);
  }
}
for (const problem of problems) console.error(problem);
console.log(`${files.length} pages, ${links} links, ${problems.size} problems: ${site}`);
process.exitCode = problems.size > 0 ? 1 : 0;

function decoded(text) {
  return text
    .replaceAll("&amp;", "&")
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">");
}
