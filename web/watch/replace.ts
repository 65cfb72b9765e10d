/** Puts new content into a part of the page, and leaves as it is what a person has done to it. */
export function replacePart(section: HTMLElement, html: string): void {
  const opened = [...section.querySelectorAll("details")].map(({ open }) => open);
  const scrolled = [...section.querySelectorAll(".scroll")].map(({ scrollLeft }) => scrollLeft);
  const focused = focusable(section).indexOf(document.activeElement as HTMLElement);
  const fields = [...section.querySelectorAll<HTMLInputElement | HTMLSelectElement>("input, select")];
  const filled = new Map(fields.map((field) => [keyOf(field), field]));
  const selection = selectionOf(document.activeElement);
  section.innerHTML = html;
  for (const [i, details] of section.querySelectorAll("details").entries()) details.open = opened[i] ?? false;
  for (const [i, scroll] of section.querySelectorAll(".scroll").entries())
    scroll.scrollLeft = scrolled[i] ?? 0;
  for (const field of section.querySelectorAll<HTMLInputElement | HTMLSelectElement>("input, select")) {
    const before = filled.get(keyOf(field));
    if (!before) continue;
    if (field instanceof HTMLInputElement && before instanceof HTMLInputElement && field.type === "checkbox")
      field.checked = before.checked;
    else field.value = before.value;
  }
  if (focused < 0) return;
  const again = focusable(section)[focused];
  again?.focus({ preventScroll: true });
  if (selection && again instanceof HTMLInputElement) again.setSelectionRange(...selection);
}

const focusable = (within: HTMLElement) => [
  ...within.querySelectorAll<HTMLElement>("a[href], button, input, select, summary, [tabindex]"),
];

/** Tells one field from another: a box by the run that it chooses. */
const keyOf = (field: HTMLInputElement | HTMLSelectElement) =>
  field.type === "checkbox" ? `choose ${field.value}` : field.tagName + field.name;

function selectionOf(element: Element | null): [number, number] | undefined {
  if (!(element instanceof HTMLInputElement) || element.type === "checkbox") return undefined;
  return [element.selectionStart ?? 0, element.selectionEnd ?? 0];
}
