import { type Html, html } from "../../report/html.js";
import { type Part, type View, versionOf } from "../part.js";

/** Makes the whole document of a page; its script then keeps the parts as they are. */
export function frame({ title, parts, watches }: View): string {
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/watch.css">
<script type="module" src="/assets/watch.js"></script>
</head>
<body>
<header class="top"><a class="home" href="/">Lyceum</a><span class="state" role="status" data-connection>not live</span></header>
<main id="page"${watches ? html` data-watches="${JSON.stringify(watches)}"` : undefined}>
${parts.map(section)}</main>
</body>
</html>
`);
}

/** A part with its name and version, by which the page's script knows what it has. */
export function section(part: Part): Html {
  return html`<section data-part="${part.name}" data-version="${versionOf(part)}">${part.html}</section>
`;
}
