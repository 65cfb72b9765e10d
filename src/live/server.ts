/** The server of the live page: it reads run folders, shows them, and changes nothing. */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Imports } from "../runs/index.js";
import { EventStream } from "./event-stream.js";
import { cookieOf, judge, parse } from "./guard.js";
import { type Part, type View, versionOf } from "./part.js";
import { compareView, MOST_COMPARED } from "./views/compare.js";
import { frame } from "./views/frame.js";
import { imagesView } from "./views/images.js";
import { overview } from "./views/overview.js";
import { runView } from "./views/run.js";
import { studyView } from "./views/study.js";
import { watchStyle } from "./views/style.js";
import { WatchedFolder } from "./watched-folder.js";

/** The page's script, as it was built: the same for the modules in `src`, as tests load them, and for those in `dist`. */
const script = fileURLToPath(new URL("../../dist/watch/watch.js", import.meta.url));

/** The time between two looks at the files while somebody watches, in milliseconds. */
const LOOK_MS = 1000;
/** The largest report that is shown, in bytes. */
const MAX_REPORT = 64 * 2 ** 20;

/** Nothing from elsewhere, no script but the page's own, and no page around this one. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/** A report is a file that anybody may have written: it runs nothing and loads nothing. */
const reportPolicy =
  "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'";

const headers = {
  "content-security-policy": policy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
};

export interface WatchOptions {
  /** The port. Default: 8420, or another one where that is taken. */
  port?: number | undefined;
  /**
   * The address to listen on, such as "0.0.0.0" for other machines: a token is then part of the pages' address. Default: the
   * loopback alone.
   */
  host?: string | undefined;
  /** What the runs' recipes can name beside Lyceum's own definitions. */
  imports?: Imports;
}

/** A server that runs. */
export interface Watcher extends AsyncDisposable {
  /** The address to open, with the token where one is needed. */
  url: string;
}

const DEFAULT_PORT = 8420;
const LOOPBACK = "127.0.0.1";

/**
 * Serves live pages of all runs and studies below some folders. Files are looked at only while a page is open.
 *
 * @param folders need not be there yet
 * @throws Error where the port that was asked for cannot be had
 */
export async function watch(folders: readonly string[], options: WatchOptions = {}): Promise<Watcher> {
  const { host = LOOPBACK, imports = [] } = options;
  const isLocal = [LOOPBACK, "localhost", "::1"].includes(host);
  const token = isLocal ? undefined : randomBytes(18).toString("base64url");
  const folder = new WatchedFolder(folders, imports);
  const events = new EventStream();
  const look = async () => events.tell(await folder.look());
  const timer = setInterval(() => {
    // What cannot be read now is looked at again with the next turn.
    if (events.size > 0) look().catch(() => {});
  }, LOOK_MS);
  let port = 0;
  const server = createServer((request, response) => {
    answer(request, response, { folder, events, imports, port, token, look }).catch((error: Error) => {
      if (!response.headersSent) refuse(response, 500, error.message);
      else response.destroy();
    });
  });
  port = await listen(server, host, options.port);
  // A connection that cannot be taken, as where no more files can be open, is that connection's loss.
  server.on("error", () => {});
  const shown = host === "0.0.0.0" || host === "::" ? hostname() : host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${shown}:${port}/${token === undefined ? "" : `?token=${token}`}`,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      events.close();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Listens on a port: the one that was asked for, or else the usual one, or where that is taken any that is free. */
async function listen(server: Server, host: string, asked: number | undefined): Promise<number> {
  const tryPort = (port: number) =>
    new Promise<number>((done, fail) => {
      server.once("error", fail);
      server.listen(port, host, () => {
        server.off("error", fail);
        done((server.address() as AddressInfo).port);
      });
    });
  try {
    return await tryPort(asked ?? DEFAULT_PORT);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (asked === undefined && code === "EADDRINUSE") return await tryPort(0);
    throw new Error(
      code === "EADDRINUSE"
        ? `port ${asked}: another program listens there: give another --port, or none, and a free one is taken`
        : `${host}:${asked ?? DEFAULT_PORT}: cannot be listened on (${(error as Error).message})`,
    );
  }
}

interface Context {
  folder: WatchedFolder;
  events: EventStream;
  imports: Imports;
  port: number;
  token: string | undefined;
  look: () => Promise<void>;
}

async function answer(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const verdict = judge(request, context);
  if (!verdict.may) {
    if (verdict.status !== 303) return refuse(response, verdict.status, verdict.message);
    const cookie = `${cookieOf(context.port)}=${verdict.token}; HttpOnly; SameSite=Lax; Path=/`;
    response.writeHead(303, { ...headers, location: verdict.location, "set-cookie": cookie }).end();
    return;
  }
  const url = parse(request);
  if (!url) return refuse(response, 400, "This is no address of a page.");
  if (url.pathname === "/events") return context.events.add(response);
  if (url.pathname === "/assets/watch.js") return send(response, "text/javascript", await readFile(script));
  if (url.pathname === "/assets/watch.css") return send(response, "text/css", watchStyle);
  await context.look();
  const report = await reportAt(url.pathname, context.folder);
  if (report)
    return send(response, "text/html; charset=utf-8", report, { "content-security-policy": reportPolicy });
  const view = await viewAt(url, context);
  if (!view)
    return refuse(response, 404, "There is no such page here: the run may have been moved or removed.");
  const have = request.headers["x-have"];
  if (typeof have === "string") send(response, "application/json", JSON.stringify(since(view, have)));
  else send(response, "text/html; charset=utf-8", frame(view));
}

/** What a page needs that has some parts already: the versions of all, and the content of those that are others. */
function since({ title, parts }: View, have: string): object {
  const known = new Set(have.split(","));
  const part = (one: Part) => {
    const version = versionOf(one);
    return { name: one.name, version, ...(!known.has(`${one.name}=${version}`) && { html: one.html.text }) };
  };
  return { title, parts: parts.map(part) };
}

async function viewAt(
  { pathname, searchParams }: URL,
  { folder, imports }: Context,
): Promise<View | undefined> {
  if (pathname === "/") return overview(folder);
  if (pathname === "/compare") {
    const names = [...new Set(searchParams.getAll("run"))].slice(0, MOST_COMPARED);
    const runs = names.flatMap((name) => folder.run(name) ?? []);
    const missing = names.filter((name) => !folder.run(name));
    return await compareView(runs, missing);
  }
  const { kind, name, page } = partsOf(pathname) ?? {};
  if (name === undefined) return undefined;
  if (kind === "study" && page === undefined) {
    const study = folder.study(name);
    return study && studyView(study);
  }
  const run = kind === "run" ? folder.run(name) : undefined;
  if (run && page === undefined) return await runView(run, imports);
  if (run && page === "images") return await imagesView(run, imports);
  return undefined;
}

/** Takes an address of a run or a study apart: "/run/NAME/images". */
function partsOf(pathname: string): { kind: string; name: string; page: string | undefined } | undefined {
  const [, kind, name, page] = /^\/(run|study)\/([^/]+)(?:\/(\w+))?$/.exec(pathname) ?? [];
  if (kind === undefined || name === undefined) return undefined;
  try {
    return { kind, name: decodeURIComponent(name), page };
  } catch {
    return undefined;
  }
}

/** Reads the report that lies in a run's or a study's folder; undefined where another page is asked for, or there is none. */
async function reportAt(pathname: string, folder: WatchedFolder): Promise<Buffer | undefined> {
  const { kind, name, page } = partsOf(pathname) ?? {};
  if (page !== "report" || name === undefined) return undefined;
  const watched = kind === "study" ? folder.study(name) : folder.run(name);
  if (!watched) return undefined;
  // No link is followed, which may lead out of the folder.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(join(watched.directory, "report.html"), flags).catch(() => undefined);
  if (!file) return undefined;
  try {
    const found = await file.stat();
    return found.isFile() && found.size <= MAX_REPORT ? await file.readFile() : undefined;
  } finally {
    await file.close();
  }
}

function send(
  response: ServerResponse,
  type: string,
  body: string | Buffer,
  more: Record<string, string> = {},
): void {
  response.writeHead(200, { ...headers, ...more, "content-type": type }).end(body);
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { ...headers, "content-type": "text/plain; charset=utf-8" }).end(`${message}\n`);
}
