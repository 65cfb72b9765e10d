/** The thread that writes checkpoints: it answers each request with the memory that came with it, and with what went wrong. */
import { parentPort } from "node:worker_threads";
import { type CheckpointRequest, NotFinite, writeCheckpoint } from "./write-checkpoint.js";

/** An error as plain data, since threads pass on only the message of one. */
export interface Failure {
  message: string;
  /** Node's code, such as ENOSPC, and the file. */
  code?: string | undefined;
  path?: string | undefined;
  /** The tensor that is not finite. */
  tensor?: string;
}

export interface CheckpointAnswer {
  data: ArrayBuffer;
  failure?: Failure;
}

parentPort?.on("message", (request: CheckpointRequest) => {
  const { data } = request.content;
  const answer: CheckpointAnswer = { data };
  try {
    writeCheckpoint(request);
  } catch (error) {
    const { message, code, path } = error as NodeJS.ErrnoException;
    answer.failure = { message, code, path, ...(error instanceof NotFinite && { tensor: error.tensor }) };
  }
  parentPort!.postMessage(answer, [data]);
});
