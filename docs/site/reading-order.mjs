import { JSX, KindRouter } from "typedoc";
import { pages, sections } from "./pages.mjs";

/** The page of {@link pages} that each document is made of. */
const pageOf = new Map();

/** Puts a page at the site's root, under its file's name: docs/data.md is at data.html. */
class PageRouter extends KindRouter {
  getIdealBaseName(reflection) {
    const page = pageOf.get(reflection);
    return page ? nameOf(page) : super.getIdealBaseName(reflection);
  }
}

/**
 * Gives the pages their titles, sections and addresses, and links from each to its neighbours, and opens the sidebar's
 * sections.
 */
export function applyReadingOrder(app) {
  app.renderer.defineRouter("reading-order", PageRouter);
  app.converter.on("begin", () => pageOf.clear());
  app.converter.on("createDocument", (_context, document) => {
    const page = pages[pageOf.size];
    pageOf.set(document, page);
    document.name = page.title;
    document.frontmatter.category = page.section;
  });
  app.renderer.hooks.on("content.end", ({ page }) => {
    const at = page.url === "index.html" ? -1 : pages.indexOf(pageOf.get(page.model));
    if (at < 0 && page.url !== "index.html") return JSX.createElement(JSX.Fragment, null);
    return JSX.createElement(
      "nav",
      { class: "neighbours", "aria-label": "Pages before and after" },
      link(at === 0 ? { title: "Lyceum", file: "index.md" } : pages[at - 1], "before"),
      link(pages[at + 1], "after"),
    );
  });
  // Screen readers jump to the parts of a page, which the theme does not mark.
  app.renderer.on("endPage", (page) => {
    page.contents = page.contents
      ?.replace('<div class="col-content">', '<div class="col-content" role="main">')
      .replace(
        '<div class="col-sidebar">',
        '<div class="col-sidebar" role="complementary" aria-label="Contents">',
      );
  });
  app.renderer.hooks.on("head.end", () =>
    JSX.createElement("script", null, JSX.createElement(JSX.Raw, { html: opening })),
  );
}

/** The name of a page's file on the site, without its ending. */
function nameOf({ file }) {
  const [, folder, name] = /(?:([^/]+)\/)?([^/]+)\.md$/.exec(file);
  return /^(README|report)$/.test(name) ? folder : name.toLowerCase();
}

function link(page, place) {
  if (!page) return undefined;
  return JSX.createElement("a", { class: place, href: `${nameOf(page)}.html` }, page.title);
}

/** Opens the sidebar's sections for whoever has opened and closed none yet. */
const opening = `try {
  for (const section of ${JSON.stringify(Object.keys(sections))}) {
    const key = "tsd-accordion-" + section;
    if (localStorage.getItem(key) === null) localStorage.setItem(key, "true");
  }
} catch {}`;
