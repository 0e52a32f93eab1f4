import type { Log } from "./log.js";

/** Where failures of the server are reported to beside the log. */
export interface ErrorTracking {
  readonly provider: "sentry" | null;
  report(error: unknown, facts: Readonly<Record<string, string>>): void;
  close(): Promise<void>;
}

export interface ErrorTrackingOptions {
  /** Nothing is loaded or sent without it. */
  readonly dsn: string | undefined;
  readonly environment: string;
  readonly release: string;
  readonly scrub: (text: string) => string;
  readonly log: Log;
}

const FLUSH_MS = 1_000;
const NONE: ErrorTracking = {
  provider: null,
  report: () => undefined,
  close: async () => undefined,
};

export async function createErrorTracking(options: ErrorTrackingOptions): Promise<ErrorTracking> {
  const { dsn, environment, release, scrub, log } = options;
  if (dsn === undefined) return NONE;
  const sentry = await import("@sentry/node");
  const client = sentry.init({
    dsn,
    environment,
    release,
    sendDefaultPii: false,
    defaultIntegrations: false,
    tracesSampleRate: 0,
    beforeSend: (event) => JSON.parse(scrub(JSON.stringify(event))) as typeof event,
  });
  if (client?.getDsn() === undefined) {
    log.error("SENTRY_DSN is no address that Sentry takes: nothing is reported there");
    return NONE;
  }
  log.info({ environment }, "errors are reported to Sentry");
  return {
    provider: "sentry",
    report: (error, facts) => void sentry.captureException(error, { tags: facts }),
    close: async () => void (await sentry.close(FLUSH_MS)),
  };
}
