import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Workers } from "../../platform/workers.js";

/** How far a learner is, as its thread tells. */
export interface DeepProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

/** Runs a task aside that tells how far it is; the signal ends its thread. */
export async function runTelling<I extends { readonly port: MessagePort }, O>(
  workers: Workers,
  task: Parameters<typeof workers.run<I, O>>[0],
  input: Omit<I, "port">,
  signal: AbortSignal,
  tell: (progress: DeepProgress) => void,
): Promise<O> {
  const { port1: heard, port2: port } = new MessageChannel();
  heard.on("message", tell);
  try {
    const order = { ...input, port } as unknown as I;
    return await workers.run<I, O>(task, order, { signal, transfer: [port], aside: true });
  } finally {
    heard.close();
  }
}
