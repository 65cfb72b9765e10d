/** Keeps a live page as its runs are: the server says what has changed, and the parts that differ are put in their places. */
import { replacePart } from "./replace.js";
import { arrangeTable, listenToTable } from "./table.js";

/** The shortest time between two updates, in milliseconds. */
const LEAST_MS = 1000;

interface Update {
  title: string;
  parts: { name: string; version: string; html?: string }[];
}

const page = document.getElementById("page")!;
const connection = document.querySelector<HTMLElement>("[data-connection]")!;
/** The runs and studies that the page shows; all where it is undefined. */
const watches: string[] | undefined = page.dataset.watches ? JSON.parse(page.dataset.watches) : undefined;

let isUpdating = false;
let isDue = false;
let last = performance.now();
let timer: number | undefined;

function say(text: string, isLost: boolean): void {
  connection.classList.toggle("lost", isLost);
  if (connection.textContent !== text) connection.textContent = text;
}

/** Asks for an update soon, once however often it is asked for; a page that nobody sees waits until it is seen. */
function ask(): void {
  isDue = true;
  if (isUpdating || timer !== undefined || document.hidden) return;
  timer = window.setTimeout(
    () => {
      timer = undefined;
      void update();
    },
    Math.max(0, LEAST_MS - (performance.now() - last)),
  );
}

async function update(): Promise<void> {
  isUpdating = true;
  isDue = false;
  try {
    const sections = [...page.querySelectorAll<HTMLElement>("[data-part]")];
    const have = sections.map(({ dataset }) => `${dataset.part}=${dataset.version}`).join(",");
    const response = await fetch(location.href, { headers: { "x-have": have } });
    if (!response.ok) say((await response.text()).trim(), true);
    else show((await response.json()) as Update);
  } catch {
    // The stream of events notices by itself that the server is gone, and comes back when it is there again.
  } finally {
    isUpdating = false;
    last = performance.now();
    if (isDue) ask();
  }
}

function show({ title, parts }: Update): void {
  say("live", false);
  document.title = title;
  const names = new Set(parts.map(({ name }) => name));
  for (const section of page.querySelectorAll<HTMLElement>("[data-part]"))
    if (!names.has(section.dataset.part!)) section.remove();
  let before: Element | null = null;
  for (const { name, version, html } of parts) {
    let section: HTMLElement | null = page.querySelector(`[data-part="${CSS.escape(name)}"]`);
    if (!section) {
      section = document.createElement("section");
      section.dataset.part = name;
      if (before) before.after(section);
      else page.prepend(section);
    }
    if (html !== undefined) {
      replacePart(section, html, arrangeTable);
      section.dataset.version = version;
    }
    before = section;
  }
}

let events: EventSource | undefined;
let again: number | undefined;

/**
 * Listens while the page is seen: a browser has six connections to a server for all of its tabs, and one that listens holds one of
 * them.
 */
function listen(): void {
  window.clearTimeout(again);
  if (document.hidden) {
    events?.close();
    events = undefined;
    return;
  }
  if (events) return;
  const mine = new EventSource("/events");
  events = mine;
  mine.onopen = () => {
    say("live", false);
    // What happened while there was no connection, nobody has told.
    ask();
  };
  mine.onmessage = ({ data }) => {
    const changed = JSON.parse(data) as string[];
    if (!watches || changed.some((name) => watches.includes(name))) ask();
  };
  mine.onerror = () => {
    say("connection lost: trying again", true);
    // A browser tries again by itself, but not where it was refused.
    if (mine.readyState !== EventSource.CLOSED || events !== mine) return;
    events = undefined;
    again = window.setTimeout(listen, 5000);
  };
}

document.addEventListener("visibilitychange", listen);
listen();
listenToTable();
arrangeTable();
