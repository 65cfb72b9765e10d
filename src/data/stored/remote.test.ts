import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { tarStream } from "../../packages.js";
import { temporaryFolder } from "../fixtures/files.js";
import type { StoredImages } from "../image-set.js";
import { loadDataset } from "../load.js";
import { Loader } from "../loader.js";
import { readRemote } from "./remote.js";
import { photo } from "./testing/photos.js";

const files = new Map<string, Buffer>();
let server: Server;
let home: string;
let asked: string[];
/** Answers instead of the server where it is given. */
let answer: ((response: ServerResponse, request: IncomingMessage) => boolean) | undefined;

beforeEach(async () => {
  vi.stubEnv("LYCEUM_DATA", join(await temporaryFolder(), "cache"));
  files.clear();
  asked = [];
  answer = undefined;
  server = createServer((request, response) => {
    const { method, url, headers } = request;
    asked.push(`${method} ${url}${headers.range ? ` ${headers.range}` : ""}`);
    if (answer?.(response, request)) return;
    const file = files.get(url!);
    if (!file) return void response.writeHead(404).end();
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "");
    const body = range ? file.subarray(Number(range[1]), Number(range[2]) + 1) : file;
    response.writeHead(range ? 206 : 200, { "content-length": body.length, etag: '"1"' });
    response.end(method === "HEAD" ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  home = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function shard(count: number, first: number): Promise<Buffer> {
  const pack = tarStream().pack();
  for (let i = first; i < first + count; i++) {
    pack.entry({ name: `${i}.jpg` }, await photo(i));
    pack.entry({ name: `${i}.cls` }, String(i % 2));
  }
  pack.finalize();
  return await buffer(pack);
}

it("trains from shards on a web server by range requests", async () => {
  files
    .set("/train-0.tar", await shard(4, 0))
    .set("/train-1.tar", await shard(3, 4))
    .set("/val.tar", await shard(2, 7));
  const spec = { name: "shards", root: home, train: "train-{0..1}.tar", test: `${home}/val.tar`, size: 16 };
  const { train } = await loadDataset(spec);
  expect([...train.labels]).toEqual([0, 1, 0, 1, 0, 1, 0]);
  using loader = new Loader(train as StoredImages, { mean: [0, 0, 0], std: [1, 1, 1], batchSize: 4 });
  let images = 0;
  for await (const batch of loader.epoch(0)) {
    images += batch.indices.length;
    expect((batch.images.toTypedArray() as Float32Array).some((value) => value > 0)).toBe(true);
    batch.dispose();
  }
  expect(images).toBe(7);
  expect(asked.filter((line) => line.startsWith("GET /train-0.tar bytes="))).toHaveLength(4);
  asked = [];
  await loadDataset(spec);
  // The index is kept for as long as the server names the same version.
  expect(asked.every((line) => line.startsWith("HEAD "))).toBe(true);
});

it("asks again where a server is busy, and says in the end what it answered", async () => {
  files.set("/a", Buffer.from("0123456789"));
  let busy = 2;
  answer = (response) => {
    if (busy-- <= 0) return false;
    response.writeHead(503).end();
    return true;
  };
  expect(Buffer.from(await readRemote({ url: `${home}/a`, offset: 2, length: 3 })).toString()).toBe("234");
  await expect(readRemote({ url: `${home}/none`, offset: 0, length: 1 })).rejects.toThrow(
    "the server answered 404",
  );
});

it("refuses answers that are not the part that was asked for", async () => {
  const always = (status: number, text: string) => (response: ServerResponse) => {
    response.writeHead(status).end(text);
    return true;
  };
  answer = always(200, "whole");
  const part = { url: `${home}/a`, offset: 0, length: 3 };
  await expect(readRemote(part)).rejects.toThrow("the server does not answer range requests");
  answer = always(206, "longer than asked");
  await expect(readRemote(part)).rejects.toThrow("the server sent more than was asked for");
  const heads = (headers: Record<string, string>) => (response: ServerResponse) => {
    response.writeHead(206, headers).end("123");
    return true;
  };
  for (const range of ["bytes 1-3/10", "bytes 0-1/10", "bytes 0-2", "nonsense"]) {
    answer = heads({ "content-range": range });
    await expect(readRemote(part), range).rejects.toThrow("another part than was asked for");
  }
  answer = heads({ "content-range": "bytes 0-2/10" });
  expect(Buffer.from(await readRemote(part)).toString()).toBe("123");
  answer = heads({ "content-encoding": "gzip" });
  await expect(readRemote(part)).rejects.toThrow("packed");
});

it("gives up on answers that break off, lead in a circle or do not come", async () => {
  const part = { url: `${home}/a`, offset: 0, length: 3 };
  const soon = { timeout: 100, pause: 1 };
  let count = 0;
  answer = (response) => {
    count++;
    response.writeHead(206, { "content-length": 3 }).write("1");
    setImmediate(() => response.destroy());
    return true;
  };
  await expect(readRemote(part, { pause: 1 })).rejects.toThrow(/terminated|closed|cut short/);
  expect(count).toBe(3);
  answer = (response) => {
    response.writeHead(302, { location: "/a" }).end();
    return true;
  };
  await expect(readRemote(part, { pause: 1 })).rejects.toThrow("redirect");
  answer = () => true;
  await expect(readRemote(part, soon)).rejects.toThrow("timeout");
  answer = (response) => {
    response.writeHead(206, { "content-length": 3 }).write("1");
    return true;
  };
  await expect(readRemote(part, soon)).rejects.toThrow("timeout");
});

it("reads no more of a shard than the server said that there is, and no less", async () => {
  const whole = await shard(2, 0);
  files.set("/train-0.tar", whole).set("/val.tar", await shard(2, 7));
  const spec = { name: "shards", root: home, train: "train-0.tar", test: "val.tar", size: 16 };
  let sent = 0;
  const pieces = (of: Buffer) =>
    Readable.from(
      (function* () {
        for (; sent < 1000; sent++) yield of;
      })(),
    );
  const instead = (of: (response: ServerResponse) => void) => {
    answer = (response, { method }) => {
      if (method === "GET") of(response);
      return method === "GET";
    };
  };
  // Members that go on for ever: those within the size that was said are whole, but for the archive's end.
  const members = whole.subarray(0, whole.length - 1024);
  instead((response) => pieces(members).pipe(response.writeHead(200)));
  await expect(loadDataset(spec)).rejects.toThrow(/train-0\.tar, byte \d+: the archive is cut short/);
  expect(sent).toBeLessThan(900);
  instead((response) => response.writeHead(200).end(whole.subarray(0, 1000)));
  await expect(loadDataset(spec)).rejects.toThrow(/train-0\.tar, byte 1536: the archive is cut short/);
  instead((response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(whole)));
  await expect(loadDataset(spec)).rejects.toThrow("train-0.tar: the server sends it packed");
  instead((response) => response.writeHead(204).end());
  await expect(loadDataset(spec)).rejects.toThrow("train-0.tar, byte 0: the archive is cut short");
});

it("names the shard that cannot be had", async () => {
  const spec = { name: "shards", root: home, train: "train-0.tar", test: "val.tar" };
  await expect(loadDataset(spec)).rejects.toThrow(`${home}/train-0.tar: the server answered 404`);
  files.set("/train-0.tar", Buffer.alloc(2000, 7));
  await expect(loadDataset(spec)).rejects.toThrow(`${home}/train-0.tar, byte 0: is no header of a tar`);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await expect(loadDataset(spec)).rejects.toThrow(/train-0\.tar: cannot be had \(.*ECONNREFUSED/);
});
