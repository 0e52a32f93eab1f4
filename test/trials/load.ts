import { Agent, type IncomingMessage, request } from "node:http";

export interface Answer {
  readonly path: string;
  readonly status: number;
  readonly ms: number;
  /** Since the start of the load. */
  readonly atMs: number;
  readonly retryAfter: string | undefined;
}

export interface Load {
  /** Ends it and gives every answer; a request without an answer has status 0. */
  stop(): Promise<Answer[]>;
  readonly answers: readonly Answer[];
}

/** Asks for the paths in turn, a number of requests at a time, as fast as they are answered. */
export function startLoad(url: string, paths: readonly string[], concurrency: number, pauseMs = 0): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const started = performance.now();
  const answers: Answer[] = [];
  let stopped = false;
  let next = 0;

  async function work(): Promise<void> {
    while (!stopped) {
      const path = paths[next++ % paths.length];
      const asked = performance.now();
      const { status, retryAfter } = await get(`${url}${path}`, agent);
      const now = performance.now();
      answers.push({ path, status, ms: now - asked, atMs: now - started, retryAfter });
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
  const workers = Array.from({ length: concurrency }, work);
  return {
    answers,
    async stop() {
      stopped = true;
      await Promise.all(workers);
      agent.destroy();
      return answers;
    },
  };
}

function get(url: string, agent: Agent): Promise<{ status: number; retryAfter: string | undefined }> {
  return new Promise((resolve) => {
    const asked = request(url, { agent, timeout: 30_000 }, (answer: IncomingMessage) => {
      answer.resume();
      answer.once("end", () =>
        resolve({ status: answer.statusCode ?? 0, retryAfter: answer.headers["retry-after"] }),
      );
      answer.once("error", () => resolve({ status: 0, retryAfter: undefined }));
    });
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => resolve({ status: 0, retryAfter: undefined }));
    asked.end();
  });
}

/** The value below which a share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** How often each status was answered. */
export function countStatuses(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
