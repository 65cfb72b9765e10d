/** The table of runs: sorted by a column, filtered by words and by state, some of it chosen to be laid over each other. */

/** How the table is sorted; kept while the page is open, since the rows are replaced whenever a run goes on. */
let order: { key: string; down: boolean } | undefined;
/** The most runs that are laid over each other. */
const MOST = 8;

const table = () => document.querySelector<HTMLTableElement>("table[data-sortable]");
const rowsOf = (of: HTMLTableElement) => [...of.tBodies[0]!.rows];
const chosen = () => [...document.querySelectorAll<HTMLInputElement>("[data-choose]:checked")];

/** Listens once to what people do; the elements themselves are replaced as runs go on. */
export function listenToTable(): void {
  document.addEventListener("click", ({ target }) => {
    const button = (target as Element).closest<HTMLElement>("[data-sort]");
    const of = table();
    if (!button || !of) return;
    const key = button.dataset.sort!;
    order = { key, down: order?.key === key ? !order.down : isNumber(of, key) };
    sort(of);
  });
  document.addEventListener("input", arrangeTable);
  document.addEventListener("change", arrangeTable);
  document.addEventListener("submit", (event) => {
    event.preventDefault();
    const names = chosen().map(({ value }) => `run=${encodeURIComponent(value)}`);
    if (names.length >= 2 && names.length <= MOST) location.assign(`/compare?${names.join("&")}`);
  });
}

/** Brings the rows into the order and the choice that a person has made. */
export function arrangeTable(): void {
  const of = table();
  if (!of) return;
  sort(of);
  const filter = document.querySelector<HTMLInputElement>("[data-filter]")?.value ?? "";
  const state = document.querySelector<HTMLSelectElement>("[data-state]")?.value ?? "";
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of rowsOf(of)) {
    const text = row.textContent!.toLowerCase();
    row.hidden = !(words.every((word) => text.includes(word)) && (!state || row.dataset.state === state));
  }
  const compare = document.querySelector<HTMLButtonElement>("[data-compare]");
  if (!compare) return;
  const many = chosen().length;
  compare.disabled = many < 2 || many > MOST;
  compare.textContent = many > MOST ? `At most ${MOST} at once` : "Lay over each other";
}

const cellValue = (row: HTMLTableRowElement, key: string) =>
  row.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.dataset.value ?? "";

const isNumber = (of: HTMLTableElement, key: string) =>
  rowsOf(of).every((row) => cellValue(row, key) !== "" && Number.isFinite(Number(cellValue(row, key))));

/** Sorts the rows; without a wish they stay as they came, the newest first. */
function sort(of: HTMLTableElement): void {
  if (!order) return;
  const { key, down } = order;
  for (const button of of.querySelectorAll<HTMLElement>("[data-sort]")) {
    const mine = button.dataset.sort === key;
    button.closest("th")!.setAttribute("aria-sort", mine ? (down ? "descending" : "ascending") : "none");
  }
  const numbers = isNumber(of, key);
  const compare = (a: string, b: string) => (numbers ? Number(a) - Number(b) : a.localeCompare(b));
  const before = rowsOf(of);
  const after = [...before].sort((a, b) => (down ? -1 : 1) * compare(cellValue(a, key), cellValue(b, key)));
  // Rows that are moved lose the focus within them.
  if (after.some((row, i) => row !== before[i])) of.tBodies[0]!.append(...after);
}
