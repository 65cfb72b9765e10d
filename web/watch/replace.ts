/**
 * Puts new content into a part of the page, and leaves as it is what a person has done to it.
 *
 * @param arrange is called before the focus is set, to sort and hide what the person wants sorted and hidden
 */
export function replacePart(section: HTMLElement, html: string, arrange: () => void): void {
  const opened = [...section.querySelectorAll("details")].map(({ open }) => open);
  const scrolled = [...section.querySelectorAll(".scroll")].map(({ scrollLeft }) => scrollLeft);
  const checked = new Set(
    [...section.querySelectorAll<HTMLInputElement>("input:checked")].map(({ value }) => value),
  );
  const focused = section.contains(document.activeElement) ? keyOf(document.activeElement!) : undefined;
  section.innerHTML = html;
  for (const [i, details] of section.querySelectorAll("details").entries()) details.open = opened[i] ?? false;
  for (const [i, scroll] of section.querySelectorAll(".scroll").entries())
    scroll.scrollLeft = scrolled[i] ?? 0;
  for (const box of section.querySelectorAll<HTMLInputElement>("input[type=checkbox]"))
    box.checked = checked.has(box.value);
  arrange();
  if (focused === undefined) return;
  const all = section.querySelectorAll<HTMLElement>("a[href], button, input, select, summary, [tabindex]");
  [...all].find((element) => keyOf(element) === focused)?.focus({ preventScroll: true });
}

/** Tells what an element is, wherever it stands: a link by where it leads, a box by the run that it chooses. */
function keyOf(element: Element): string {
  const names = ["href", "value", "data-sort", "name", "aria-label"];
  const attributes = names.map((name) => element.getAttribute(name) ?? "");
  return [element.tagName, ...attributes, element.tagName === "DIV" ? "" : element.textContent].join("\n");
}
