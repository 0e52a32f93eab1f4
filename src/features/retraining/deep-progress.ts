import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Workers } from "../../platform/workers.js";

/** How far a learner is, as its thread tells. */
export interface DeepProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

/** Runs a task aside that tells by a port how far it is; the signal ends its thread. @param orderBy its input with the port. */
export async function runTelling<I, O>(
  workers: Workers,
  task: Parameters<typeof workers.run<I, O>>[0],
  orderBy: (port: MessagePort) => I,
  signal: AbortSignal,
  tell: (progress: DeepProgress) => void,
): Promise<O> {
  const { port1: heard, port2: port } = new MessageChannel();
  heard.on("message", tell);
  try {
    return await workers.run<I, O>(task, orderBy(port), { signal, transfer: [port], aside: true });
  } finally {
    heard.close();
  }
}
