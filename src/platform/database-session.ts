import { setImmediate } from "node:timers/promises";
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
  /** Hears notifications on a channel, and null once it listens and after each reconnect: some may have been missed. */
  listen(channel: string, listener: (payload: string | null) => void): () => void;
  close(): Promise<void>;
}

const PROBE_EVERY_MS = 1_000;
const PROBE_TIMEOUT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_AFTER_MS = 250;
const END_TIMEOUT_MS = 500;

class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/**
 * Keeps one connection of its own open: hears notifications on it, and asks it every second whether the
 * database still answers. A session that ends is replaced at once, and only where that fails is the database down.
 * @param onState is told the result of every probe, the first one included.
 */
export async function openSession(
  connection: pg.ClientConfig,
  log: Log,
  onState: (up: boolean, reason: string | null) => void,
): Promise<DatabaseSession> {
  const channels = createChannels(log);
  let client: pg.Client | null = null;
  let backend: Backend | null = null;
  let closing = false;
  let wake = new AbortController();

  async function connect(): Promise<void> {
    const fresh = new pg.Client({
      ...connection,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    });
    fresh.on("error", (error) => log.warn({ reason: error.message }, "database session lost"));
    fresh.on("notification", ({ channel, payload }) => channels.tell(channel, payload ?? null));
    fresh.on("end", () => {
      if (client === fresh) wake.abort();
    });
    try {
      await fresh.connect();
      const { rows } = await inTime(
        fresh.query<Backend>(
          `select pid, to_char(backend_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as "startedAt"
           from pg_stat_activity where pid = pg_backend_pid()`,
        ),
      );
      for (const channel of channels.names()) await inTime(listenOn(fresh, channel));
      backend = rows[0] ?? null;
      client = fresh;
    } catch (error) {
      await end(fresh);
      throw error;
    }
    for (const channel of channels.names()) channels.tell(channel, null);
  }

  async function drop(): Promise<void> {
    const lost = client;
    client = null;
    backend = null;
    if (lost !== null) await end(lost);
  }

  /** Null when the database answers, in this session or a new one; else what is wrong. */
  async function probe(): Promise<string | null> {
    try {
      if (client !== null) {
        await inTime(client.query("select 1"));
        return null;
      }
    } catch (error) {
      await drop();
      if (closing || error instanceof TimeoutError) return messageOf(error);
    }
    try {
      await connect();
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }

  async function watch(): Promise<void> {
    while (!closing) {
      wake = new AbortController();
      const reason = await probe();
      if (closing) return;
      onState(reason === null, reason);
      await sleep(reason === null ? PROBE_EVERY_MS : RECONNECT_AFTER_MS, wake.signal);
    }
  }

  await connect();
  onState(true, null);
  const watching = watch();

  return {
    backend: () => backend,
    listen(channel, listener) {
      const { isFirst, remove } = channels.add(channel, listener);
      if (isFirst && client !== null) {
        listenOn(client, channel).then(
          () => channels.tell(channel, null),
          (error: unknown) => log.warn({ reason: messageOf(error), channel }, "could not listen"),
        );
      }
      return remove;
    },
    async close() {
      closing = true;
      wake.abort();
      await watching;
      await drop();
    },
  };
}

type Listener = (payload: string | null) => void;

/** Who listens where. A listener that throws disturbs nobody. */
function createChannels(log: Log) {
  const listeners = new Map<string, Set<Listener>>();
  return {
    names: () => listeners.keys(),
    add(channel: string, listener: Listener): { isFirst: boolean; remove: () => void } {
      const known = listeners.get(channel) ?? new Set();
      listeners.set(channel, known.add(listener));
      return { isFirst: known.size === 1, remove: () => known.delete(listener) };
    },
    tell(channel: string, payload: string | null): void {
      for (const listener of listeners.get(channel) ?? []) {
        try {
          listener(payload);
        } catch (error) {
          log.error({ err: error, channel }, "a listener of the database session failed");
        }
      }
    },
  };
}

async function listenOn(client: pg.Client, channel: string): Promise<void> {
  await client.query(`listen ${pg.escapeIdentifier(channel)}`);
}

/** @throws {TimeoutError} when there is no answer in time, as far as it lies with the database. */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  const answered = new AbortController();
  async function timeout(): Promise<never> {
    await sleep(PROBE_TIMEOUT_MS, answered.signal);
    // After a standstill of this process, an answer that came during it is read before this goes on.
    await setImmediate();
    throw new TimeoutError(`no answer within ${PROBE_TIMEOUT_MS} ms`);
  }
  try {
    return await Promise.race([answer, timeout()]);
  } finally {
    answered.abort();
  }
}

/** Ends a connection; a frozen server, which never closes its side, is not waited for. */
async function end(client: pg.Client): Promise<void> {
  const ended = new AbortController();
  await Promise.race([client.end(), sleep(END_TIMEOUT_MS, ended.signal)]);
  ended.abort();
}
