import type { Clock } from "../../platform/clock.js";
import type { Principal } from "../../platform/http.js";
import type { Log } from "../../platform/log.js";
import type { ActivityEvents, ActivityRange } from "./activity-stream.js";

export interface EventStreamSettings {
  /** A connection on which nothing moves is cut by the server after 13 s. */
  readonly heartbeatMs: number;
  /** How often it is asked whether the key of a client stands. */
  readonly checkEveryMs: number;
  /** How long a client may take to read what waits for it. */
  readonly slowMs: number;
}

export const EVENT_STREAM_SETTINGS: EventStreamSettings = Object.freeze({
  heartbeatMs: 5_000,
  checkEveryMs: 20_000,
  slowMs: 10_000,
});

export interface ActivityLinesOptions {
  readonly events: ActivityEvents;
  /** False once the credential of a principal has been revoked. */
  readonly stands: (principal: Principal) => Promise<boolean>;
  readonly settings: EventStreamSettings;
  readonly clock: Clock;
  readonly log: Log;
}

/** A stream ends after a day; its client resumes where it was. */
export const STREAM_LIMIT_MS = 86_400_000;

/** Holds a client to its pace: between what it was given and its asking for more. */
export function createPace(slowMs: number, cut: () => void) {
  let timer: NodeJS.Timeout | undefined;
  return {
    given() {
      timer = setTimeout(cut, slowMs);
      timer.unref();
    },
    asked: () => clearTimeout(timer),
  };
}

/** To whom what is told, and how that ends. */
export interface Telling {
  readonly principal: Principal;
  readonly range: ActivityRange;
  readonly pace: ReturnType<typeof createPace>;
  readonly leave: () => void;
  readonly closing: AbortSignal;
}

const comment = (text: string) => `: ${text}\n\n`;

/** The text of a stream, as its client takes it. */
export async function* linesOf(
  options: ActivityLinesOptions,
  { principal, range, pace, leave, closing }: Telling,
): AsyncGenerator<string> {
  const { events, stands, settings, clock, log } = options;
  const left = (principal.expiresAt ?? Number.POSITIVE_INFINITY) - clock.now();
  const limit = AbortSignal.timeout(Math.max(0, Math.min(STREAM_LIMIT_MS, left)));
  const signal = AbortSignal.any([closing, limit]);
  async function* texts() {
    // Says that it is open, which events may not do for long.
    yield comment("connected");
    let checkedAt = clock.elapsed();
    const patience = { patienceMs: settings.heartbeatMs, signal };
    for await (const event of events.follow(principal.userId, range, patience)) {
      if (clock.elapsed() - checkedAt >= settings.checkEveryMs) {
        checkedAt = clock.elapsed();
        if (!(await stands(principal))) {
          yield comment("the key was revoked");
          return;
        }
      }
      yield event === null
        ? comment("heartbeat")
        : `id: ${event.event_id}\ndata: ${JSON.stringify(event)}\n\n`;
    }
    if (closing.aborted) yield comment("the server is shutting down");
  }
  try {
    for await (const text of texts()) {
      pace.given();
      yield text;
      pace.asked();
    }
  } catch (error) {
    pace.asked();
    log.error({ err: error, userId: principal.userId }, "a stream of events failed");
    yield comment("internal server error");
  } finally {
    pace.asked();
    leave();
  }
}
