/** Who may see the pages: programs on this machine, or whoever has the token. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** The cookie that holds the token, so that it does not stay in addresses; a machine's cookies are those of all its ports. */
export const cookieOf = (port: number) => `lyceum_watch_${port}`;

/** What a request may do. */
export type Verdict =
  | { may: true }
  /** The token came with the address: it is set as a cookie, and the address is asked for again without it. */
  | { may: false; status: 303; token: string; location: string }
  | { may: false; status: 403 | 405 | 421; message: string };

/**
 * Judges a request. On the loopback alone, requests are refused that were meant for another host, as by a page elsewhere whose
 * name was pointed at this machine, and those that come from another page. Where other machines reach the server, the token is
 * asked for.
 *
 * @param token undefined where the server listens on the loopback alone
 */
export function judge(
  request: IncomingMessage,
  { port, token }: { port: number; token: string | undefined },
): Verdict {
  if (request.method !== "GET" && request.method !== "HEAD")
    return { may: false, status: 405, message: "Nothing can be changed here." };
  const { host = "", origin, cookie = "" } = request.headers;
  if (origin !== undefined && origin !== `http://${host}`)
    return { may: false, status: 403, message: "This page is not for other pages." };
  if (token === undefined) {
    // The name alone tells: a tunnel may have another port at its other end.
    if (["127.0.0.1", "localhost", "[::1]"].includes(host.replace(/:\d+$/, ""))) return { may: true };
    return { may: false, status: 421, message: `Ask for http://127.0.0.1:${port}/ on this machine.` };
  }
  const url = parse(request);
  const given = url?.searchParams.get("token");
  if (url && typeof given === "string" && isSame(given, token)) {
    url.searchParams.delete("token");
    return { may: false, status: 303, token, location: `${url.pathname}${url.search}` };
  }
  const held = new RegExp(`(?:^|;\\s*)${cookieOf(port)}=([^;]*)`).exec(cookie)?.[1];
  if (held !== undefined && isSame(held, token)) return { may: true };
  return {
    ...{ may: false, status: 403 },
    message: "Open the whole address that `lyceum watch` has written to its terminal, with the token in it.",
  };
}

/** The address that a request asks for; undefined where it is none. */
export function parse({ url = "/" }: IncomingMessage): URL | undefined {
  // An address with a host of its own, or with two slashes in front, would lead elsewhere.
  if (!url.startsWith("/") || /^\/[\\/]/.test(url)) return undefined;
  try {
    const parsed = new URL(url, "http://lyceum.invalid");
    return parsed.pathname.startsWith("//") ? undefined : parsed;
  } catch {
    return undefined;
  }
}

/** Compares in a time that tells nothing of where the two differ. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
