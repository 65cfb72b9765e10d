import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { request as ask, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeRun } from "../report/fixtures/make-run.js";
import type { Watcher } from "./index.js";
import { watch } from "./server.js";
import { WatchedRun } from "./watched-run.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-watch-"));
const hostile = join(root, `<script>alert(1)</script> & "x"`);
let watcher: Watcher;

beforeAll(async () => {
  await makeRun(join(root, "mine"), { finished: 2, generations: 3 });
  await makeRun(hostile, { seed: 3, title: "<img src=x onerror=alert(1)>" });
  mkdirSync(join(root, "broken"));
  writeFileSync(join(root, "broken/recipe.yaml"), "epochs: [");
  writeFileSync(join(root, "mine/report.html"), "<script>evil()</script>");
  writeFileSync(join(root, "secret"), "not for anybody");
  symlinkSync(join(root, "secret"), join(hostile, "report.html"));
  watcher = await watch([root], { port: 0 });
});
afterAll(async () => {
  await watcher?.[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

interface Answer {
  status: number;
  text: string;
  headers: Record<string, string | string[] | undefined>;
}

/** Sends a request as it is, with any header and any path. */
function get(path: string, headers: Record<string, string> = {}, { method = "GET", url = watcher.url } = {}) {
  const { hostname, port } = new URL(url);
  return new Promise<Answer>((done, fail) => {
    const sent = ask({ hostname, port, path, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece) => {
        text += piece;
      });
      response.on("end", () => done({ status: response.statusCode!, text, headers: response.headers }));
    });
    sent.on("error", fail).end();
  });
}

const address = (name: string, page = "") => `/run/${encodeURIComponent(join(root, name))}${page}`;

describe("the live pages", () => {
  it("list all runs with their states", async () => {
    const { status, text } = await get("/");
    expect(status).toBe(200);
    expect(text).toContain("3 runs");
    expect(text).toMatch(/mine" data-state="unfinished"/);
    expect(text).toMatch(/broken" data-state="damaged"/);
    expect(text).toContain("student 2 of 2");
  });

  it("show a run's curves, results and recipe, and its hostile words as text", async () => {
    const mine = await get(address("mine"));
    expect(mine.status).toBe(200);
    for (const heading of [
      "Accuracy by epoch",
      "Accuracy by generation",
      "Loss",
      "Learning rate",
      "What it trains",
    ])
      expect(mine.text).toContain(heading);
    expect(mine.text).toContain("npx lyceum train --resume");
    const { text } = await get(`/run/${encodeURIComponent(hostile)}`);
    expect(text).toContain("&lt;img src=x onerror=alert(1)&gt;");
    for (const page of [text, (await get("/")).text]) {
      expect(page).not.toContain("<script>alert");
      expect(page).not.toContain("<img src=x");
    }
    const broken = await get(address("broken"));
    expect(broken.status).toBe(200);
    expect(broken.text).toContain("recipe.yaml");
  });

  it("show the images on which generations differ, and mistakes", async () => {
    const { text } = await get(address("mine", "/images"));
    expect(text).toContain("Where patriarch and last student differ most");
    expect(text).toContain("most confident mistakes of the student 1");
    expect(text).toContain("data:image/png;base64,");
  });

  it("lay runs over each other, and say which are not there", async () => {
    const query = [join(root, "mine"), hostile, "gone"]
      .map((name) => `run=${encodeURIComponent(name)}`)
      .join("&");
    const { text } = await get(`/compare?${query}`);
    expect(text).toContain("Laid over each other");
    expect(text).toContain("There is no run gone here");
    expect(text).toContain("<td>seed</td>");
  });

  it("send the parts that have changed, and nothing else", async () => {
    const { text } = await get(address("mine"));
    const versions = [...text.matchAll(/data-part="([\w-]+)" data-version="([\w-]+)"/g)].map(
      ([, name, version]) => [name, version],
    );
    const have = versions.map(([name, version]) => `${name}=${version}`).join(",");
    const same = JSON.parse((await get(address("mine"), { "x-have": have })).text);
    expect(same.parts.map(({ name, version }: { name: string; version: string }) => [name, version])).toEqual(
      versions,
    );
    expect(same.parts.every((part: object) => !("html" in part))).toBe(true);
    const other = JSON.parse(
      (await get(address("mine"), { "x-have": have.replace(/head=[\w-]+/, "head=old") })).text,
    );
    expect(
      other.parts.filter((part: object) => "html" in part).map(({ name }: { name: string }) => name),
    ).toEqual(["head"]);
  });

  it("let nothing in from elsewhere, and nothing out", async () => {
    const { headers } = await get("/");
    expect(headers["content-security-policy"]).toContain("default-src 'none'; script-src 'self'");
    expect(headers["cross-origin-resource-policy"]).toBe("same-origin");
    const { port } = new URL(watcher.url);
    expect((await get("/", { host: "evil.example" })).status).toBe(421);
    expect((await get("/", { host: `evil.example:${port}` })).status).toBe(421);
    // A tunnel has another port at its other end.
    expect((await get("/", { host: "localhost:9999" })).status).toBe(200);
    expect((await get("/", { origin: "http://evil.example" })).status).toBe(403);
    expect((await get("/", { origin: `http://127.0.0.1:${port}` })).status).toBe(200);
    expect((await get("/", {}, { method: "POST" })).status).toBe(405);
    for (const path of [
      "/secret",
      "/run/..%2f..%2fsecret",
      "/run/%ff",
      "//evil.example/",
      "/.//evil.example/",
      "/assets/../secret",
      "http://evil/",
      address("mine", "/secret"),
    ])
      expect([path, [400, 404].includes((await get(path)).status)]).toEqual([path, true]);
  });

  it("show a report that runs nothing, and none behind a link", async () => {
    const { status, headers } = await get(address("mine", "/report"));
    expect(status).toBe(200);
    expect(headers["content-security-policy"]).toMatch(/^sandbox; default-src 'none'/);
    expect((await get(`/run/${encodeURIComponent(hostile)}/report`)).status).toBe(404);
  });

  it("tell of changes as they come", async () => {
    const { hostname, port } = new URL(watcher.url);
    const told = new Promise<string>((done, fail) => {
      const sent = ask({ hostname, port, path: "/events" }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (piece) => {
          text += piece;
          const [, line] = /data: (.*)\n\n/.exec(text) ?? [];
          if (line === undefined) return;
          response.destroy();
          done(line);
        });
      });
      sent.on("error", fail).end();
    });
    await get("/");
    await makeRun(join(root, "later"), { finished: 1 });
    expect(JSON.parse(await told)).toEqual([join(root, "later")]);
  }, 20_000);
});

it("are there though a run holds a pipe in place of its lock, and another one's log is a folder", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lyceum-watch-pipe-"));
  try {
    await makeRun(join(folder, "mine"), { finished: 1 });
    for (const name of [".lock", "metrics.jsonl", "progress.json"]) {
      rmSync(join(folder, "mine", name), { force: true });
      execFileSync("mkfifo", [join(folder, "mine", name)]);
    }
    await using watcher = await watch([folder], { port: 0 });
    const { url } = watcher;
    expect((await get("/", {}, { url })).text).toContain("1 run");
    expect((await get(`/run/${encodeURIComponent(join(folder, "mine"))}`, {}, { url })).status).toBe(200);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("show a run that was damaged as it is once it is mended, to the byte and the time of before", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lyceum-watch-mended-"));
  try {
    await makeRun(join(folder, "mine"), { finished: 1 });
    const path = join(folder, "mine/summary.json");
    const [whole, { atime, mtime }] = [readFileSync(path), statSync(path)];
    const put = (bytes: Buffer) => {
      writeFileSync(path, bytes);
      utimesSync(path, atime, mtime);
    };
    put(Buffer.alloc(whole.length, 32));
    const watched = new WatchedRun({ kind: "run", name: "mine", directory: join(folder, "mine") });
    await watched.refresh({ again: true });
    expect(watched.listing.state).toBe("damaged");
    put(whole);
    expect(await watched.refresh({ again: false })).toBe(true);
    expect(watched.listing.state).toBe("unfinished");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("ask for a token where other machines reach them", async () => {
  await using open = await watch([root], { port: 0, host: "0.0.0.0" });
  const { port, searchParams } = new URL(open.url);
  const url = `http://127.0.0.1:${port}/`;
  const token = searchParams.get("token")!;
  expect(token.length).toBeGreaterThanOrEqual(20);
  expect((await get("/", {}, { url })).status).toBe(403);
  expect((await get("/events", {}, { url })).status).toBe(403);
  expect((await get("/?token=wrong", {}, { url })).status).toBe(403);
  const { status, headers } = await get(`/compare?run=a&token=${token}`, {}, { url });
  expect([status, headers.location]).toEqual([303, "/compare?run=a"]);
  const [cookie] = headers["set-cookie"] as string[];
  expect(cookie).toMatch(/^lyceum_watch_\d+=[\w-]+; HttpOnly; SameSite=Lax/);
  const held = cookie!.split(";")[0]!;
  expect((await get("/", { cookie: `other=1; ${held}` }, { url })).status).toBe(200);
  expect((await get("/", { cookie: `${held}x` }, { url })).status).toBe(403);
});

it("says that a port is taken, and takes another where none was asked for", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => other.once("listening", done));
  const { port } = other.address() as AddressInfo;
  await expect(watch([root], { port })).rejects.toThrow(`port ${port}: another program listens there`);
  other.close();
  await using first = await watch([root]);
  await using second = await watch([root]);
  expect(new URL(second.url).port).not.toBe(new URL(first.url).port);
});
