import { spawnAll, type TestProcess } from "../fixtures/process.js";

/** The built program in a process of its own, once it listens. */
export interface TxProcess extends TestProcess {
  readonly url: string;
  /** Time from start to listening. */
  readonly startMs: number;
}

/** Starts the program as `npm start` does and waits until it listens. @throws when it ends before. */
export async function startProcess(environment: Readonly<Record<string, string>>): Promise<TxProcess> {
  const started = performance.now();
  const program = spawnAll(environment);
  const url = await program.listening();
  return { ...program, url, startMs: performance.now() - started };
}
