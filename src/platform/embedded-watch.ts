import { messageOf } from "./errors.js";
import type { Log } from "./log.js";

/** Hears why a server does not serve, and null once it does again. */
export type FaultListener = (reason: string | null) => void;

/** A server that can be looked at and begun again. */
export interface Watched {
  readonly name: string;
  /** Why it cannot serve; null while nothing is known against it. */
  trouble(): string | null;
  /** Begins it again, or takes over what somebody else began. @throws with the reason, also when called off. */
  restart(calledOff: AbortSignal): Promise<void>;
}

export interface Watch {
  /** Looks now. */
  look(): void;
  onFault(listener: FaultListener): void;
  /** Ends the watch and calls off a restart that is underway. */
  stop(): Promise<void>;
}

const LOOK_EVERY_MS = 250;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** After this long the next end is no longer of a row: it is met at once, without a pause. */
const STEADY_MS = 60_000;

/** Begins a server again whenever it ends: at once the first time, with growing pauses while it keeps ending. */
export function watchOver(watched: Watched, log: Log): Watch {
  const { name } = watched;
  const calledOff = new AbortController();
  const stopped = calledOff.signal;
  const listeners = new Set<FaultListener>();
  let fault: string | null = null;
  let wake: () => void = () => undefined;
  let looking = false;
  let attempts = 0;
  let servesSince: number | null = performance.now();

  function tell(reason: string | null): void {
    if (reason === fault) return;
    fault = reason;
    for (const listener of listeners) listener(reason);
  }

  /** Never keeps the process from ending. */
  function rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function restart(reason: string): Promise<void> {
    if (servesSince !== null && performance.now() - servesSince > STEADY_MS) attempts = 0;
    servesSince = null;
    const pauseMs =
      attempts === 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 10), LONGEST_PAUSE_MS);
    attempts++;
    log.error({ reason, pauseMs, attempts }, `${name} ended; starting it again`);
    if (pauseMs > 0) await rest(pauseMs);
    if (stopped.aborted || watched.trouble() === null) return;
    try {
      await watched.restart(stopped);
      log.info({ attempts }, `${name} serves again`);
    } catch (error) {
      if (stopped.aborted) return;
      log.error({ reason: messageOf(error) }, `${name} did not start again`);
      tell(messageOf(error));
    }
  }

  async function watch(): Promise<void> {
    while (!stopped.aborted) {
      const reason = watched.trouble();
      if (reason === null) {
        servesSince ??= performance.now();
        tell(null);
        looking = true;
        await rest(LOOK_EVERY_MS);
        looking = false;
      } else {
        if (fault === null) tell(reason);
        await restart(reason);
      }
    }
  }

  const watching = watch();
  return {
    look() {
      // A pause between two starts is kept.
      if (looking) wake();
    },
    onFault(listener) {
      listeners.add(listener);
      if (fault !== null) listener(fault);
    },
    async stop() {
      calledOff.abort();
      wake();
      await watching;
    },
  };
}
