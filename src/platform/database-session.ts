import pg from "pg";
import { sleep } from "./clock.js";
import { messageOf } from "./errors.js";
import type { Log } from "./log.js";

/** The database session that identifies this process to others: when it is gone, the process is. */
export interface Backend {
  readonly pid: number;
  /** Start of the session as Postgres prints it, in microseconds. */
  readonly startedAt: string;
}

export interface DatabaseSession {
  /** Null while there is no session. */
  backend(): Backend | null;
  /** Hears notifications on a channel, and once after each reconnect, since some may have been missed. */
  listen(channel: string, listener: (payload: string | null) => void): () => void;
  close(): Promise<void>;
}

const PROBE_EVERY_MS = 1_000;
const PROBE_TIMEOUT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_AFTER_MS = 250;

/**
 * Keeps one connection of its own open: hears notifications on it, and asks it every second whether the
 * database still answers.
 * @param onState is told of every change, and of the first result.
 */
export async function openSession(
  connection: pg.ClientConfig,
  log: Log,
  onState: (up: boolean, reason: string | null) => void,
): Promise<DatabaseSession> {
  const closing = new AbortController();
  const listeners = new Map<string, Set<(payload: string | null) => void>>();
  let client: pg.Client | null = null;
  let backend: Backend | null = null;

  async function connect(): Promise<pg.Client> {
    const fresh = new pg.Client({
      ...connection,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: PROBE_TIMEOUT_MS,
      keepAlive: true,
    });
    fresh.on("error", (error) => log.warn({ reason: error.message }, "database session lost"));
    fresh.on("notification", ({ channel, payload }) => {
      for (const listener of listeners.get(channel) ?? []) listener(payload ?? null);
    });
    try {
      await fresh.connect();
      const { rows } = await fresh.query<Backend>(
        `select pid, to_char(backend_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as "startedAt"
         from pg_stat_activity where pid = pg_backend_pid()`,
      );
      for (const channel of listeners.keys()) await fresh.query(`listen ${pg.escapeIdentifier(channel)}`);
      backend = rows[0] ?? null;
      client = fresh;
      return fresh;
    } catch (error) {
      await fresh.end();
      throw error;
    }
  }

  function wakeListeners(): void {
    for (const known of listeners.values()) for (const listener of known) listener(null);
  }

  async function watch(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        const current = client ?? (await connect());
        await current.query("select 1");
        onState(true, null);
      } catch (error) {
        if (closing.signal.aborted) return;
        onState(false, messageOf(error));
        const lost = client;
        client = null;
        backend = null;
        await lost?.end();
        await sleep(RECONNECT_AFTER_MS, closing.signal);
        continue;
      }
      await sleep(PROBE_EVERY_MS, closing.signal);
    }
  }

  await connect();
  onState(true, null);
  const watching = watch();

  return {
    backend: () => backend,
    listen(channel, listener) {
      const known = listeners.get(channel) ?? new Set();
      listeners.set(channel, known.add(listener));
      if (known.size === 1) {
        client?.query(`listen ${pg.escapeIdentifier(channel)}`).then(wakeListeners, (error: unknown) => {
          log.warn({ reason: messageOf(error), channel }, "database session: could not listen");
        });
      }
      return () => known.delete(listener);
    },
    async close() {
      closing.abort();
      await client?.end();
      await watching;
    },
  };
}
