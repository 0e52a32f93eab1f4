import { ProviderError } from "./define.js";

/** Lets only so many works run at a time; the others wait for their turn. */
export interface Turns {
  /** @throws {ProviderError} `set_aside` when too many wait, or the signal aborts while it waits. */
  take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

const WAITING_LIMIT = 200;

export function createTurns(atATime: number): Turns {
  let running = 0;
  const waiting: (() => void)[] = [];

  function turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = () => {
        waiting.splice(waiting.indexOf(begin), 1);
        reject(new ProviderError("set_aside", "not asked: it had too much to answer"));
      };
      waiting.push(begin);
      signal.addEventListener("abort", giveUp, { once: true });
    });
  }

  return {
    async take(signal, work) {
      if (running < atATime) running++;
      else if (waiting.length < WAITING_LIMIT) await turn(signal);
      else throw new ProviderError("set_aside", "not asked: too many requests wait");
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running--;
        else next();
      }
    },
  };
}
