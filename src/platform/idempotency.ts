import type { FastifyRequest } from "fastify";
import type { Database, Sql } from "./database.js";
import { AppError, ERRORS, type ErrorCode, type Problem } from "./errors.js";
import { PassingMap } from "./passing.js";
import { sha256 } from "./sha256.js";

/** A call that its caller may repeat without it being done again. */
export interface RepeatableCall {
  readonly userId: string;
  /** Chosen by the caller, 1 to 255 visible ASCII characters. */
  readonly key: string;
  /** Of what is asked for: the same key with another one is refused. */
  readonly fingerprint: string;
}

/** What a call was answered with; JSON. */
export type Reply = Readonly<Record<string, unknown>>;

/** Keeps the reply within the transaction that does what was asked for, as its last statement. */
export type Seal = (sql: Sql, reply: Reply) => Promise<void>;

/**
 * Calls that are done once however often they are sent. Key, effect and reply are committed together, so that a crash
 * leaves all or nothing, and a repeated call gets the reply of the first: refusals and failures too, except those that
 * may pass (`retryable`), which leave the key unused.
 */
export interface Idempotency {
  /**
   * @param work does what is asked for and calls `seal` in its transaction; what it throws is kept as the reply.
   * @param onReplay called before the reply, or the error, of an earlier call is given.
   * @throws {AppError} `idempotency_key_reused`, and what the work throws, now or when it was first done.
   */
  once(call: RepeatableCall, work: (seal: Seal) => Promise<Reply>, onReplay: () => void): Promise<Reply>;
  /** Forgets keys older than this; a repeated call is then done again. */
  prune(olderThanMs: number): Promise<number>;
}

interface Row {
  fingerprint: string;
  reply: Reply | null;
  code: string | null;
  detail: string | null;
}

/** Thrown within a transaction whose key was committed by another one meanwhile; it ends in nothing. */
class Overtaken extends Error {
  override readonly name = "Overtaken";
}

const INSERT = `
insert into idempotency_keys (user_id, key, fingerprint, reply, code, detail) values ($1, $2, $3, $4, $5, $6)
on conflict do nothing returning key`;

export function createIdempotency(database: Database): Idempotency {
  const inFlight = new PassingMap<{ fingerprint: string; done: Promise<Reply> }>();

  async function find(call: RepeatableCall): Promise<Row | null> {
    const [row] = await database.query<Row>(
      "select fingerprint, reply, code, detail from idempotency_keys where user_id = $1 and key = $2",
      [call.userId, call.key],
    );
    if (row !== undefined) requireSame(row.fingerprint, call);
    return row ?? null;
  }

  /** @returns false where the key has been used meanwhile. */
  async function keepFailure({ userId, key, fingerprint }: RepeatableCall, error: unknown): Promise<boolean> {
    const { code, message, problems } =
      error instanceof AppError ? error : new AppError("internal", FAILED, { cause: error });
    if (ERRORS[code].retryable) return true;
    const kept = problems.length === 0 ? null : JSON.stringify({ problems });
    const rows = await database.query(INSERT, [userId, key, fingerprint, kept, code, message]);
    return rows.length > 0;
  }

  async function run(
    call: RepeatableCall,
    work: (seal: Seal) => Promise<Reply>,
    onReplay: () => void,
  ): Promise<Reply> {
    const { userId, key, fingerprint } = call;
    try {
      return await work(async (sql, given) => {
        const values = [userId, key, fingerprint, JSON.stringify(given), null, null];
        const rows = await sql.query(INSERT, values);
        if (rows.length === 0) throw new Overtaken("the key was used meanwhile");
      });
    } catch (error) {
      // What this one met may be what another process did with the key, whose reply then stands for both.
      if (error instanceof Overtaken || !(await keepFailure(call, error))) {
        const row = await find(call);
        if (row !== null) {
          onReplay();
          return replyOf(row);
        }
      }
      throw error;
    }
  }

  return {
    async once(call, work, onReplay) {
      const place = `${call.userId} ${call.key}`;
      for (let running = inFlight.get(place); running !== undefined; running = inFlight.get(place)) {
        if (running.fingerprint === call.fingerprint) {
          onReplay();
          return running.done;
        }
        // Which of the two the key belongs to is known once the other is over.
        await running.done.catch(() => undefined);
      }
      const done = (async () => {
        const row = await find(call);
        if (row === null) return run(call, work, onReplay);
        onReplay();
        return replyOf(row);
      })();
      inFlight.set(place, { fingerprint: call.fingerprint, done });
      try {
        return await done;
      } finally {
        inFlight.delete(place);
      }
    },
    async prune(olderThanMs) {
      const [row] = await database.query<{ count: number }>(
        `with gone as (
           delete from idempotency_keys where created_at < now() - $1::float8 * interval '1 millisecond' returning 1
         ) select count(*)::int as count from gone`,
        [olderThanMs],
      );
      return row?.count ?? 0;
    },
  };
}

const FAILED = "The call failed when it was first made";

function requireSame(fingerprint: string, call: RepeatableCall): void {
  if (fingerprint === call.fingerprint) return;
  throw new AppError("idempotency_key_reused", `The key ${call.key} was sent with another request`);
}

function replyOf({ reply, code, detail }: Row): Reply {
  if (code === null) return reply ?? {};
  const problems = (reply?.problems ?? []) as readonly Problem[];
  throw new AppError(isCode(code) ? code : "internal", detail ?? "", { problems });
}

function isCode(code: string): code is ErrorCode {
  return code in ERRORS;
}

/** The key under which a request is repeated; null without one. @throws {AppError} `invalid_request` for a key that is none. */
export function idempotencyKeyOf({ headers }: Pick<FastifyRequest, "headers">): string | null {
  const key = headers["idempotency-key"];
  if (key === undefined) return null;
  if (typeof key === "string" && /^[!-~]{1,255}$/.test(key)) return key;
  const problem = "header Idempotency-Key: must have 1 to 255 visible ASCII characters";
  throw new AppError("invalid_request", problem);
}

/** Tells requests apart: the address as it is documented, and what is asked of it. */
export function fingerprintOf(operation: string, input: unknown): string {
  return sha256(operation, "\n", JSON.stringify(input) ?? "");
}
