/** The table of runs: sorted by a column, filtered by words and by state, some of it chosen to be laid over each other. */

/** How the table is sorted; kept while the page is open, since the rows are replaced whenever a run goes on. */
let order: { key: string; down: boolean } | undefined;
/** The most runs that are laid over each other. */
const MOST = 8;

/** Brings the tables in an element to life, again after each change of it. */
export function enhanceTable(within: HTMLElement): void {
  for (const table of within.querySelectorAll<HTMLTableElement>("table[data-sortable]")) {
    const tools = within.querySelector<HTMLFormElement>("form[data-tools]");
    for (const button of table.querySelectorAll<HTMLButtonElement>("[data-sort]")) {
      button.addEventListener("click", () => {
        const key = button.dataset.sort!;
        order = { key, down: order?.key === key ? !order.down : isNumber(table, key) };
        sort(table);
      });
    }
    sort(table);
    if (tools) bring(tools, table);
  }
}

function bring(tools: HTMLFormElement, table: HTMLTableElement): void {
  const filter = tools.querySelector<HTMLInputElement>("[data-filter]")!;
  const state = tools.querySelector<HTMLSelectElement>("[data-state]")!;
  const compare = tools.querySelector<HTMLButtonElement>("[data-compare]")!;
  const boxes = [...table.querySelectorAll<HTMLInputElement>("[data-choose]")];
  const show = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rowsOf(table)) {
      const text = row.textContent!.toLowerCase();
      const fits =
        words.every((word) => text.includes(word)) && (!state.value || row.dataset.state === state.value);
      row.hidden = !fits;
    }
  };
  const chosen = () => boxes.filter(({ checked }) => checked);
  const count = () => {
    const many = chosen().length;
    compare.disabled = many < 2 || many > MOST;
    compare.textContent = many > MOST ? `At most ${MOST} at once` : "Lay over each other";
  };
  filter.addEventListener("input", show);
  state.addEventListener("change", show);
  for (const box of boxes) box.addEventListener("change", count);
  tools.addEventListener("submit", (event) => {
    event.preventDefault();
    if (compare.disabled) return;
    const names = chosen().map(({ value }) => `run=${encodeURIComponent(value)}`);
    location.assign(`/compare?${names.join("&")}`);
  });
  show();
  count();
}

const rowsOf = (table: HTMLTableElement) => [...table.tBodies[0]!.rows];

const cellValue = (row: HTMLTableRowElement, key: string) =>
  row.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.dataset.value ?? "";

const isNumber = (table: HTMLTableElement, key: string) =>
  rowsOf(table).every((row) => cellValue(row, key) !== "" && Number.isFinite(Number(cellValue(row, key))));

/** Sorts the rows; without a wish they stay as they came, the newest first. */
function sort(table: HTMLTableElement): void {
  if (!order) return;
  const { key, down } = order;
  for (const button of table.querySelectorAll<HTMLElement>("[data-sort]")) {
    const mine = button.dataset.sort === key;
    button.closest("th")!.setAttribute("aria-sort", mine ? (down ? "descending" : "ascending") : "none");
  }
  const numbers = isNumber(table, key);
  const compare = (a: string, b: string) => (numbers ? Number(a) - Number(b) : a.localeCompare(b));
  const rows = rowsOf(table).sort((a, b) => (down ? -1 : 1) * compare(cellValue(a, key), cellValue(b, key)));
  table.tBodies[0]!.append(...rows);
}
