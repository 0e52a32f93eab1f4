import { AppError } from "./errors.js";

/** SQLSTATE classes and codes that mean: this server cannot serve us now. */
const UNAVAILABLE_STATES = /^(08|57P0[1-5]|53|25P03|25006|58)/;
/** The server ended a statement that outlasted its limit; it answers others. */
const CANCELLED_STATE = "57014";
const UNAVAILABLE_SYSTEM_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);
/**
 * Prisma: cannot reach, timed out, connection closed, pool exhausted, transaction not started or expired; and the
 * code of our own refusal, of which Prisma keeps nothing else.
 */
const UNAVAILABLE_CODES = new Set([
  "P1001",
  "P1002",
  "P1008",
  "P1017",
  "P2024",
  "P2028",
  "database_unavailable",
]);
const UNAVAILABLE_MESSAGES =
  /Query read timeout|timeout exceeded when trying to connect|timeout expired|Connection terminated|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end/;

/** Serialization failure and deadlock: the whole transaction may be tried again. */
const RETRYABLE_STATES = new Set(["40001", "40P01"]);
/** Text that Postgres cannot hold, such as one with a NUL. */
const UNSTORABLE_STATES = new Set(["22021", "22P05"]);

/** Each error of a chain: the thrown one, its cause, and what a driver adapter wraps. */
function* chain(error: unknown): Generator<Record<string, unknown>> {
  let current: unknown = error;
  for (let depth = 0; depth < 6 && typeof current === "object" && current !== null; depth++) {
    const record = current as Record<string, unknown>;
    yield record;
    const meta = record.meta as Record<string, unknown> | undefined;
    current = record.cause ?? meta?.driverAdapterError;
  }
}

/** The SQLSTATE behind an error of the driver or of Prisma (which reports raw conflicts as P2010), if any. */
export function sqlState(error: unknown): string | null {
  for (const { code, originalCode } of chain(error)) {
    for (const candidate of [originalCode, code]) {
      if (
        typeof candidate === "string" &&
        /^(?=.*\d)[0-9A-Z]{5}$/.test(candidate) &&
        !/^P[12]\d{3}$/.test(candidate)
      ) {
        return candidate;
      }
    }
  }
  return null;
}

/** Whether something is there already that an index has once. */
export function isTaken(error: unknown, index: string): boolean {
  return sqlState(error) === "23505" && [...chain(error)].some(({ constraint }) => constraint === index);
}

export function isRetryable(error: unknown): boolean {
  return RETRYABLE_STATES.has(sqlState(error) ?? "");
}

export function isUnavailable(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== null && UNAVAILABLE_STATES.test(state)) return true;
  for (const { code, message, syscall, clientVersion } of chain(error)) {
    // There is no socket where Postgres keeps it; any other file that is missing says nothing of the database.
    // Prisma, known by its version, keeps only the code.
    if (code === "ENOENT" && (syscall === "connect" || clientVersion !== undefined)) return true;
    if (typeof code === "string" && (UNAVAILABLE_SYSTEM_CODES.has(code) || UNAVAILABLE_CODES.has(code))) {
      return true;
    }
    if (typeof message === "string" && UNAVAILABLE_MESSAGES.test(message)) return true;
  }
  return false;
}

/**
 * The error a caller should see for one of the database, or the error itself where that would be the program's own
 * fault: a violation of a constraint that no feature foresaw is a bug.
 */
export function databaseError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const state = sqlState(error);
  if (state === CANCELLED_STATE) {
    return new AppError(
      "timed_out",
      "The database took too long over this; ask for less or try again shortly",
      {
        cause: error,
        retryAfterS: 2,
      },
    );
  }
  if (isUnavailable(error)) {
    return new AppError("database_unavailable", "The database does not answer; try again shortly", {
      cause: error,
      retryAfterS: 2,
    });
  }
  if (isRetryable(error)) {
    return new AppError("overloaded", "Too much changes at once what this would change; try again shortly", {
      cause: error,
    });
  }
  if (state !== null && UNSTORABLE_STATES.has(state)) {
    return new AppError("invalid_request", "A text holds a character that cannot be stored", {
      cause: error,
    });
  }
  return error;
}
