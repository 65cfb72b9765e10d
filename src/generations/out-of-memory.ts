import type { Recipe } from "../recipe/index.js";

/** The error of a training that asked for more memory than there is. */
export class OutOfMemory extends Error {
  override name = "OutOfMemory";
}

/** What libtorch says on the CPU and on a card, and what Node says of its own buffers. */
const words = /can't allocate memory|out of memory|Array buffer allocation failed/i;

/** Says what to do about an error for lack of memory; any other error is handed back as it is. */
export function explainMemory(
  error: unknown,
  { batchSize, accumulate = 1, device }: Pick<Recipe, "batchSize" | "accumulate" | "device">,
): unknown {
  if (!(error instanceof Error) || !words.test(error.message)) return error;
  const bytes = /tried to allocate (\d+) bytes/.exec(error.message)?.[1];
  const wanted = bytes ? `, for ${sizeOf(Number(bytes))} more` : "";
  const parts = 2 * accumulate;
  const smaller =
    batchSize >= 2 * parts
      ? `"accumulate: ${parts}" computes each step's ${batchSize} images in ${parts} parts and keeps less at a time, and a smaller ` +
        `batchSize less still`
      : "smaller images or a smaller network need less";
  return new OutOfMemory(
    `there is not enough memory${device === "cpu" ? "" : ` on ${device}`}${wanted}: ${smaller}. What is finished is kept (${error.message.split("\n")[0]})`,
    { cause: error },
  );
}

function sizeOf(bytes: number): string {
  return bytes < 2 ** 30 ? `${Math.ceil(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
