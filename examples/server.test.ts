import { request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { LoadedModel } from "lyceum";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { imageServer } from "./server.js";
import { listening, send, smallModel } from "./testing.js";

let model: LoadedModel;
let server: Server;
let png: Buffer;

beforeAll(async () => {
  model = await smallModel();
  server = await listening(imageServer(model));
  png = await sharp({ create: { width: 50, height: 40, channels: 3, background: "#c84" } })
    .png()
    .toBuffer();
});
afterAll(() => {
  server.close();
  model.dispose();
});

it("answers an image with its classes, as the library does", async () => {
  const { status, body } = await send(server, png);
  expect(status).toBe(200);
  expect(body).toEqual(await model.predict(png, { top: 5 }));
  expect(body.scores).toHaveLength(4);
});

it.each([
  [
    "text",
    () => send(server, Buffer.from("no image")),
    415,
    /^the image: is no image of a known format; PNG, JPEG/,
  ],
  ["nothing", () => send(server, Buffer.alloc(0)), 415, /^the image: is empty; PNG, JPEG/],
  [
    "half an image",
    () => send(server, png.subarray(0, png.length / 2)),
    415,
    /^the image: is damaged or cut short/,
  ],
  ["GET", () => send(server, Buffer.alloc(0), { method: "GET" }), 405, /^POST an image$/],
  [
    "a length above the limit",
    () => send(server, Buffer.alloc(11 * 2 ** 20), { headers: { expect: "100-continue" } }),
    413,
    /not be larger than 10485760 bytes/,
  ],
  ["more than it said", () => send(server, Array(11).fill(Buffer.alloc(2 ** 20))), 413, /not be larger than/],
])("refuses %s, and goes on", async (_, ask, status, error) => {
  expect(await ask()).toEqual({ status, body: { error: expect.stringMatching(error) } });
  expect((await send(server, png)).status).toBe(200);
});

it("answers many at once", async () => {
  const expected = await model.predict(png, { top: 5 });
  const replies = await Promise.all(Array.from({ length: 40 }, () => send(server, png)));
  expect(replies).toEqual(Array(40).fill({ status: 200, body: expected }));
});

it("survives a client that leaves in the middle", async () => {
  const { port } = server.address() as AddressInfo;
  const left = request({ port, method: "POST", headers: { "content-length": "1000000" } });
  left.on("error", () => {});
  left.write(png);
  await new Promise((resolve) => setTimeout(resolve, 50));
  left.destroy();
  expect((await send(server, png)).status).toBe(200);
});
