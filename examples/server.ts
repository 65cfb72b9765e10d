// Serves the predictions of a trained network for uploaded images:
//   node build/examples/server.js runs/quickstart 8080
//   curl --data-binary @photo.jpg http://localhost:8080/
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import { ImageError, type LoadedModel, loadModel } from "lyceum";

const MAX_BYTES = 10 * 2 ** 20;
const MAX_CONNECTIONS = 64;

/** The error of a request that is refused, with its HTTP status. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Makes a server that replies to `POST /` with the five best classes of the image in the body, as JSON, or an
 * error.
 */
export function imageServer(model: LoadedModel): Server {
  const server = createServer(async (request, response) => {
    try {
      if (request.method !== "POST") throw new Refusal(405, "POST an image");
      const image = await readBody(request);
      send(response, 200, await model.predict(image, { top: 5 }));
    } catch (error) {
      // A client that has left gets no reply.
      if (request.errored) return;
      const { message } = error as Error;
      if (error instanceof Refusal) send(response, error.status, { error: message });
      else if (error instanceof ImageError) send(response, 415, { error: message });
      else {
        console.error(error);
        send(response, 500, { error: "the server failed on this image" });
      }
    }
  });
  // Each connection holds up to a whole body in memory.
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const tooLarge = new Refusal(413, `the image must not be larger than ${MAX_BYTES} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > MAX_BYTES) throw tooLarge;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  // The request is not destroyed when the loop ends early, or the client would never receive the reason.
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    bytes += part.length;
    if (bytes > MAX_BYTES) throw tooLarge;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  // Where a body is not read to its end, the connection cannot be used for another request.
  const close = response.req.complete ? {} : { connection: "close" };
  response.writeHead(status, { "content-type": "application/json", ...close });
  response.end(`${JSON.stringify(body)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [run = "runs/quickstart", port = "8080"] = process.argv.slice(2);
  const model = await loadModel(run);
  const server = imageServer(model).listen(Number(port), () =>
    console.log(`${run}: http://localhost:${port}/`),
  );
  process.once("SIGTERM", () => server.close(() => model.dispose()));
}
