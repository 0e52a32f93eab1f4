import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { assert } from "../core/base/assert.js";
import { sleep } from "./clock.js";
import { watchedClient } from "./database-client.js";
import { databaseError, isRetryable, sqlState } from "./database-errors.js";
import { APPLICATION_NAME, type Backend, type DatabaseSession, openSession } from "./database-session.js";
import { AppError, messageOf } from "./errors.js";
import type { Log } from "./log.js";
import type { Metrics } from "./metrics.js";
import { preparedName } from "./prepared.js";
import { PrismaClient } from "./prisma/client.js";

/**
 * Runs SQL with numbered parameters. A statement that lost against a concurrent one is tried again. Timestamps come back as Date,
 * bigints as number, numerics as text.
 */
export interface Sql {
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface Database extends Sql {
  /** For plain reads and writes of single rows; bulk and hot paths use `query`. */
  readonly prisma: PrismaClient;
  /**
   * Runs `work` in one transaction and tries it again, whole, on serialization failures and deadlocks. Inside,
   * only the given Sql may be used: another connection would wait for this one.
   */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Whether it answers, since when (epoch ms), and what was wrong last. */
  status(): DatabaseStatus;
  /** The session others know this process by; null where there is none. */
  backend(): Backend | null;
  /** @see DatabaseSession.listen; without a session nothing is ever heard. */
  listen(channel: string, listener: (payload: string | null) => void): () => void;
  pool(): { total: number; idle: number; waiting: number };
  close(): Promise<void>;
}

export interface DatabaseStatus {
  readonly up: boolean;
  readonly since: number;
  readonly reason: string | null;
}

export interface DatabaseOptions {
  readonly connection: pg.PoolConfig;
  readonly poolSize: number;
  /** False for PGlite, whose single session everything shares. */
  readonly ownSession: boolean;
  readonly log: Log;
  readonly metrics: Metrics;
  /** By whoever runs the server: told why it does not serve, and null once it does again. */
  readonly onFault?: (listener: (reason: string | null) => void) => void;
}

/** No statement may take longer; with the wait for a connection, a caller is answered within 4 s. */
const QUERY_TIMEOUT_MS = 2_000;
/** Sooner than callers give up: whether the server took too long or does not answer is the server's to say. */
const STATEMENT_TIMEOUT_MS = 1_800;
const CONNECT_TIMEOUT_MS = 2_000;
const ATTEMPTS = 5;

// bigint: all ids stay far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** Refuses at once while the database is known to be down, instead of queueing callers for a time-out each. */
class GuardedPool extends pg.Pool {
  refuse: () => Error | null = () => null;

  override connect(): Promise<pg.PoolClient>;
  override connect(
    callback: (error: Error | undefined, client: pg.PoolClient | undefined, done: () => void) => void,
  ): void;
  override connect(
    callback?: (error: Error | undefined, client: pg.PoolClient | undefined, done: () => void) => void,
  ): Promise<pg.PoolClient> | undefined {
    const refusal = this.refuse();
    if (refusal !== null) {
      if (callback === undefined) return Promise.reject(refusal);
      process.nextTick(callback, refusal, undefined, () => undefined);
      return undefined;
    }
    if (callback === undefined) return super.connect();
    super.connect(callback);
    return undefined;
  }
}

/** @throws {AppError} `database_unavailable` when it cannot be reached at all. */
export async function createDatabase(options: DatabaseOptions): Promise<Database> {
  const { connection, log, metrics } = options;
  const pool = new GuardedPool({
    ...connection,
    max: options.poolSize,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...(options.ownSession
      ? { Client: watchedClient(QUERY_TIMEOUT_MS) }
      : { query_timeout: QUERY_TIMEOUT_MS }),
    statement_timeout: options.ownSession ? STATEMENT_TIMEOUT_MS : 0,
    idle_in_transaction_session_timeout: options.ownSession ? 10_000 : 0,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: APPLICATION_NAME,
  });
  // A connection that breaks is replaced; without a listener, idle or lent, it would end the process.
  pool.on("error", (error) => log.warn({ reason: error.message }, "idle database connection lost"));
  pool.on("connect", (client) =>
    client.on("error", (error) => log.debug({ reason: error.message }, "database connection lost")),
  );

  let status: DatabaseStatus = { up: true, since: Date.now(), reason: null };
  metrics.databaseUp.set(1);
  /** What whoever runs the server knows against it; its sessions may still answer. */
  let fault: string | null = null;
  function onState(answers: boolean, problem: string | null): void {
    const up = answers && fault === null;
    const reason = fault ?? problem;
    if (up === status.up) {
      status = { ...status, reason };
      return;
    }
    status = { up, since: Date.now(), reason };
    metrics.databaseUp.set(up ? 1 : 0);
    if (up) log.info("database answers again");
    else log.error({ reason }, "database does not answer");
  }
  pool.refuse = () =>
    status.up
      ? null
      : new AppError("database_unavailable", "The database does not answer; try again shortly", {
          retryAfterS: 2,
          facts: { reason: status.reason, since: status.since },
        });

  let session: DatabaseSession | null = null;
  try {
    if (options.ownSession) session = await openSession(connection, log, onState);
  } catch (error) {
    await pool.end();
    throw databaseError(error);
  }
  options.onFault?.((reason) => {
    fault = reason;
    // Where there is a session, it tells when the server answers again.
    if (reason !== null || session === null) onState(reason === null, reason);
  });
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });

  return {
    prisma,
    query: (text, values) => timed(metrics, () => retried(() => queryOn(pool, text, values))),
    transaction: (work) => timed(metrics, () => retried(() => transactionOn(pool, work))),
    status: () => status,
    backend: () => session?.backend() ?? null,
    listen: (channel, listener) => session?.listen(channel, listener) ?? (() => undefined),
    pool: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    async close() {
      await session?.close();
      await prisma.$disconnect();
      if (!pool.ended) await pool.end();
    },
  };
}

async function timed<T>(metrics: Metrics, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  let outcome = "error";
  try {
    const result = await work();
    outcome = "ok";
    return result;
  } catch (error) {
    throw databaseError(error);
  } finally {
    metrics.databaseSeconds.observe({ outcome }, (performance.now() - started) / 1_000);
  }
}

async function queryOn<Row extends object>(
  target: pg.Pool | pg.PoolClient,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const given = { text, values: values as unknown[], name: preparedName(text) };
  const result = await target.query<Row>(given);
  return result.rows;
}

/** Tries again, whole, what the database gave up in favour of something concurrent. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= ATTEMPTS || !isRetryable(error)) throw error;
      await sleep(attempt * (5 + 20 * Math.random()));
    }
  }
}

async function transactionOn<T>(pool: pg.Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let over = false;
  /** Why the connection must not be used again: what it is at is unknown. */
  let broken: Error | undefined;

  async function noting<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      // Without a state it is not the server's answer: there may have been none.
      if (sqlState(error) === null) broken = asError(error);
      throw error;
    }
  }
  function query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    assert(!over, "the transaction is over");
    return noting(queryOn<Row>(client, text, values));
  }

  try {
    await query("begin");
    const result = await work({ query });
    const { command } = await noting(client.query("commit"));
    // What the server answers, without an error, after a failure that `work` kept to itself.
    if (command !== "COMMIT") throw new Error("the transaction was rolled back: a statement of it failed");
    return result;
  } catch (error) {
    broken ??= await client.query("rollback").then(() => undefined, asError);
    throw error;
  } finally {
    over = true;
    client.release(broken);
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(messageOf(thrown));
}
