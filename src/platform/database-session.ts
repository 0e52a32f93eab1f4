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
  /**
   * Hears notifications on a channel, and null when it begins to and after each reconnect, since some may have been
   * missed. A channel that is listened on already says nothing at the beginning.
   */
  listen(channel: string, listener: (payload: string | null) => void): () => void;
  close(): Promise<void>;
}

/** By this name the server knows the connections of this process. */
export const APPLICATION_NAME = `tx ${process.pid}`;
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
  let current: Connected | null = null;
  let closing = false;
  let wake = new AbortController();

  async function reconnect(): Promise<void> {
    const fresh = await connect(connection, log, channels);
    current = fresh;
    fresh.client.on("end", () => {
      if (current === fresh) wake.abort();
    });
    await channels.hearAll(fresh);
  }

  async function drop(): Promise<void> {
    const lost = current;
    current = null;
    if (lost !== null) await end(lost.client);
  }

  /** Null when the database answers, in this session or a new one; else what is wrong. */
  async function probe(): Promise<string | null> {
    try {
      if (current !== null) {
        await channels.hearAll(current);
        await inTime(current.client.query("select 1"));
        return null;
      }
    } catch (error) {
      await drop();
      if (closing || error instanceof TimeoutError) return messageOf(error);
    }
    try {
      await reconnect();
      return null;
    } catch (error) {
      await drop();
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

  await reconnect();
  onState(true, null);
  const watching = watch();

  return {
    backend: () => current?.backend ?? null,
    listen(channel, listener) {
      const remove = channels.add(channel, listener);
      if (current?.heard.has(channel) === false) wake.abort();
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

interface Connected {
  readonly client: pg.Client;
  readonly backend: Backend | null;
  /** Channels it listens on. */
  readonly heard: Set<string>;
}

async function connect(connection: pg.ClientConfig, log: Log, channels: Channels): Promise<Connected> {
  const client = new pg.Client({
    application_name: APPLICATION_NAME,
    ...connection,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  client.on("error", (error) => log.warn({ reason: error.message }, "database session lost"));
  client.on("notification", ({ channel, payload }) => channels.tell(channel, payload ?? null));
  try {
    await client.connect();
    const { rows } = await inTime(
      client.query<Backend>(
        `select pid, to_char(backend_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as "startedAt"
         from pg_stat_activity where pid = pg_backend_pid()`,
      ),
    );
    return { client, backend: rows[0] ?? null, heard: new Set() };
  } catch (error) {
    await end(client);
    throw error;
  }
}

type Listener = (payload: string | null) => void;

type Channels = ReturnType<typeof createChannels>;

/** Who listens where. A listener that throws disturbs nobody. */
function createChannels(log: Log) {
  const listeners = new Map<string, Set<Listener>>();

  function tell(channel: string, payload: string | null): void {
    for (const listener of listeners.get(channel) ?? []) {
      try {
        listener(payload);
      } catch (error) {
        log.error({ err: error, channel }, "a listener of the database session failed");
      }
    }
  }

  return {
    tell,
    /** @returns what ends it. */
    add(channel: string, listener: Listener): () => void {
      const known = listeners.get(channel) ?? new Set();
      listeners.set(channel, known.add(listener));
      return () => known.delete(listener);
    },
    /** Listens on the channels that are new to a session; the only place, so that its statements never overlap. */
    async hearAll({ client, heard }: Connected): Promise<void> {
      for (const channel of listeners.keys()) {
        if (heard.has(channel)) continue;
        await inTime(client.query(`listen ${pg.escapeIdentifier(channel)}`));
        heard.add(channel);
        tell(channel, null);
      }
    },
  };
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
