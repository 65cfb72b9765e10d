/** Adapts what the repository's Markdown becomes on the site. */
export function adaptMarkdown(parser) {
  // Tables that are wider than the page are scrolled by themselves, with the keyboard too.
  parser.renderer.rules.table_open = () => '<div class="table" tabindex="0"><table>\n';
  parser.renderer.rules.table_close = () => "</table></div>\n";
  parser.core.ruler.push("adapted", ({ tokens }) => {
    for (const [at, token] of tokens.entries()) {
      // TypeDoc takes code of no language for TypeScript.
      if (token.type === "fence" && token.info.trim() === "") token.info = "text";
      // A heading without words is none, which screen readers would announce.
      const isEmptyHeading = token.type === "th_open" && tokens[at + 1].content === "";
      if (isEmptyHeading) for (const tag of [token, tokens[at + 2]]) tag.tag = "td";
    }
  });
}
