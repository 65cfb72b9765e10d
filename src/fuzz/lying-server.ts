/** A web server that answers as bytes tell it: honestly where they are zero, and with all sorts of lies where they are not. */
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** Of each answer one byte says how it lies, and the next by how much. */
export const liesFile = "lies.bin";

/** The ways to answer, by the number in the first byte. */
export const lies = [
  ...["honest", "no length", "elsewhere", "in small pieces", "status", "length", "range", "cut short"],
  ...[
    "redirect loop",
    "leads nowhere",
    "never-ending",
    "packed",
    "odd head",
    "longer",
    "whole file",
    "another part",
  ],
] as const;
type Lie = (typeof lies)[number];

const statuses = [
  "404 Not Found",
  "500 Oops",
  "503 Busy",
  "429 Slow",
  "204 Nothing",
  "301 Moved",
  "416 No",
  "200 OK",
];
const lengths = ["0", "-1", "abc", "9007199254740991", "99999999999999999999999", "1e3", "0x10", "1, 1"];
const nowhere = [
  "file:///etc/passwd",
  "data:,x",
  "http://127.0.0.1:1/",
  "http://[",
  "//",
  "ftp://127.0.0.1/",
  "?",
  "",
];
const heads = [
  "HTTP/1.1 206\r\n\r\n",
  "nonsense\r\n\r\n",
  `HTTP/1.1 206 OK\r\nx: ${"y".repeat(40_000)}\r\n\r\n`,
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 206 OK\r\n\r\n",
  "HTTP/1.1 206 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffff\r\nx",
  "HTTP/1.1 206 OK\r\ncontent-length: 5\r\ncontent-length: 7\r\n\r\n12345",
  "HTTP/1.1 206 OK\r\ncontent-range: bytes */*\r\n\r\n",
  "",
];
const ranges = [
  "bytes 0-0/1",
  "bytes 5-4/9",
  "bytes */*",
  "bytes",
  "bytes 0-99999999999999999999/1",
  "é",
  "items 0-1/2",
  "",
];
/** The most bytes of an answer that does not end, for readers that would never hang up. */
const endless = 8 << 20;

export interface LyingServer {
  /** Its address, without a slash at the end. */
  readonly home: string;
  /** From now on files come from this folder, and the first answer is told by the first of its bytes. */
  serve(folder: string): void;
  close(): void;
}

/** Starts a server on this machine. It keeps no process from ending. */
export async function startLyingServer(): Promise<LyingServer> {
  let folder = "";
  let answers = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    let head = "";
    socket.on("data", (bytes) => {
      head += bytes.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      const script = readFileSync(join(folder, liesFile));
      const at = 2 * answers++;
      answer(socket, folder, head, lies[(script[at] ?? 0) % lies.length]!, script[at + 1] ?? 0);
      head = "";
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return {
    home: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: (next) => {
      [folder, answers] = [next, 0];
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function answer(socket: Socket, folder: string, head: string, lie: Lie, amount: number): void {
  const [, method, path] = /^(\w+) \/(?:moved\/)?([\w.-]*)/.exec(head) ?? [];
  const one = <T>(of: readonly T[]) => of[amount % of.length]!;
  if (lie === "odd head") return void socket.end(one(heads));
  const file = fileAt(folder, path ?? "");
  const range = /\r\nrange: bytes=(\d+)-(\d+)/i.exec(head);
  const [first, last] = range ? [Number(range[1]), Number(range[2])] : [0, file.length - 1];
  const shift = lie === "another part" ? amount : 0;
  let body = lie === "whole file" ? file : file.subarray(first + shift, last + shift + 1);
  let status = range && lie !== "whole file" ? "206 Part" : "200 OK";
  const headers: Record<string, string> = {
    connection: "close",
    etag: '"1"',
    "content-length": `${body.length}`,
  };
  if (range && lie !== "whole file") headers["content-range"] = `bytes ${first}-${last}/${file.length}`;
  const length = (bytes: number) => {
    headers["content-length"] = String(bytes);
  };
  if (lie === "no length" && method !== "HEAD") delete headers["content-length"];
  if (lie === "status") status = one(statuses);
  if (lie === "length")
    headers["content-length"] = amount < 128 ? one(lengths) : `${body.length + amount - 192}`;
  if (lie === "range") headers["content-range"] = one(ranges);
  if (lie === "packed") {
    headers["content-encoding"] = one(["gzip", "deflate", "br", "aws-chunked", "zstd", "gzip, gzip"]);
    if (amount >= 128) body = gzipSync(Buffer.alloc(1 << 20));
    length(body.length);
  }
  if (lie === "longer") body = Buffer.concat([body, Buffer.alloc(amount)]);
  if (lie === "cut short") body = body.subarray(0, Math.floor((body.length * amount) / 256));
  const target =
    lie === "elsewhere" && !head.includes("/moved/")
      ? `/moved/${path}`
      : lie === "redirect loop"
        ? `/${path}`
        : undefined;
  if (target !== undefined || lie === "leads nowhere") {
    status = "302 Found";
    headers.location = target ?? one(nowhere);
    length(0);
  }
  const goesOn = lie === "never-ending" && method !== "HEAD";
  if (goesOn) delete headers["content-length"];
  const lines = Object.entries(headers).map(([key, value]) => `${key}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status}\r\n${lines.join("")}\r\n`, "latin1");
  if (method === "HEAD" || headers.location !== undefined) return void socket.end();
  if (goesOn) return void goOn(socket, body.length > 0 ? body : Buffer.alloc(512), endless);
  if (lie !== "in small pieces") return void socket.end(body);
  for (let at = 0; at < body.length; at += 100) socket.write(body.subarray(at, at + 100));
  socket.end();
}

function goOn(socket: Socket, piece: Buffer, left: number): void {
  if (socket.destroyed) return;
  if (left <= 0) return void socket.end();
  if (socket.write(piece)) setImmediate(() => goOn(socket, piece, left - piece.length));
  else socket.once("drain", () => goOn(socket, piece, left - piece.length));
}

function fileAt(folder: string, name: string): Buffer {
  try {
    return readFileSync(join(folder, name));
  } catch {
    return Buffer.alloc(0);
  }
}
