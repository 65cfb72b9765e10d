import { expect, test } from "vitest";
import { html } from "./html.js";

test("holes are escaped, HTML in them is not, lists are joined", () => {
  const evil = `<img src=x onerror="alert('1')">&`;
  expect(String(html`<p title="${evil}">${[html`<b>${1}</b>`, "<", undefined]}</p>`)).toBe(
    '<p title="&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;"><b>1</b>&lt;</p>',
  );
});
