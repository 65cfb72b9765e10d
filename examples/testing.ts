/** Shared by the server's tests: a network that was hardly trained, and requests. */
import { mkdtempSync, rmSync } from "node:fs";
import { type Agent, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoadedModel, loadModel, trainGenerations } from "lyceum";

/** Trains and loads a network for 4 classes of 32 x 32 colour images; no files are left of it. */
export async function smallModel(): Promise<LoadedModel> {
  const directory = join(mkdtempSync(join(tmpdir(), "lyceum-server-")), "run");
  const data = { name: "synthetic", classes: 4, size: 32, trainCount: 32, testCount: 8 };
  const recipe = { data, model: "resnet8", epochs: 1, batchSize: 16, generations: 1, patriarch: { k: 2 } };
  await trainGenerations(recipe, { directory });
  const model = await loadModel(directory);
  rmSync(join(directory, ".."), { recursive: true });
  return model;
}

/** Starts a server at a free port. */
export async function listening(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

export interface Reply {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  body: any;
}

export interface SendOptions {
  method?: string;
  headers?: Record<string, string>;
  agent?: Agent;
}

/** Sends a body to the server, whole or in parts, and waits for the reply. */
export function send(
  server: Server,
  body: Uint8Array | Iterable<Uint8Array>,
  { method = "POST", headers = {}, agent }: SendOptions = {},
): Promise<Reply> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const sent = request(
      { port, host: "127.0.0.1", method, headers, ...(agent && { agent }) },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part) => {
          text += part;
        });
        response.on("end", () => resolve({ status: response.statusCode!, body: JSON.parse(text) }));
        response.on("error", reject);
      },
    );
    sent.on("error", reject);
    if (body instanceof Uint8Array) sent.end(body);
    else {
      for (const part of body) sent.write(part);
      sent.end();
    }
  });
}
