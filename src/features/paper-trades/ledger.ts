import { LRUCache } from "lru-cache";
import type { Desk } from "../../core/execution/desk.js";
import type { Database, Sql } from "../../platform/database.js";
import { sqlState } from "../../platform/database-errors.js";
import { AppError, ERRORS, messageOf } from "../../platform/errors.js";
import type { EventLog } from "../../platform/event-log.js";
import { type Account, isOlder, type Known, movedCursors, opened } from "./known-account.js";
import { disagreements, HALT_LEDGER } from "./recovery.js";
import type { AccountRow, LedgerStore } from "./store.js";
import { announced } from "./topics.js";
import type { Written } from "./writes.js";

/** Work on the desk of an account. It must do all that it does before it returns. */
export interface Work<T> {
  /** May throw an AppError, as long as it has changed nothing. */
  run(desk: Desk, account: Account): T;
  /** Runs within the transaction that keeps what was done, after it. */
  seal?(sql: Sql, result: T): Promise<void>;
  /** Its seal closes or halts the account: what comes after it is not written with it. */
  readonly changesRow?: boolean;
}

/**
 * Accounts over the ledger. Each process keeps the desks it has worked on; what work does is written in one transaction
 * with the number that the work began with, so that of two processes one comes too late, reads what the other wrote and
 * works anew. Work on one account is done in order, and work that waits is written together.
 */
export interface Ledger {
  /** @throws {AppError} `account_not_found`, `trading_halted` while the ledger contradicts itself, and as the work does. */
  act<T>(accountId: string, work: Work<T>): Promise<T>;
  /**
   * Looks without changing anything: at the state as of the last work of any process, or, with a row that was just
   * read, as of that. @throws {AppError} `account_not_found`, and `trading_halted` where the account cannot be rebuilt from
   * its events, which halts it for good.
   */
  look<T>(accountId: string, look: (desk: Desk, account: Account) => T, asOf?: AccountRow): Promise<T>;
  /** Rebuilds an account from its events and says in what it differs from what is kept of it; halts it where it does. */
  verify(accountId: string): Promise<readonly string[]>;
  /** Forgets what this process knows, as a new one. */
  forget(): void;
}

/** Desks that are kept at hand; others are made anew from their events. */
const DESKS = 500;
/** Pieces of work that are written together at most. */
const BATCH = 64;
/** Times that work is done anew because another process was first. */
const ATTEMPTS = 8;

export { type Account, HALT_LEDGER };

interface Waiting {
  readonly work: Work<unknown>;
  /** For one who only looks: the number up to which the account is known to have come. Null for work. */
  readonly looksSince: number | null;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

const OVERTAKEN = "another process wrote first";

/** Another process wrote first. */
class Overtaken extends Error {
  override readonly name = "Overtaken";
}

/** One piece of work failed before anything was written; the others know nothing of it. */
class WorkFailed extends Error {
  override readonly name = "WorkFailed";
  readonly waiting: Waiting;
  constructor(waiting: Waiting, cause: unknown) {
    super(messageOf(cause), { cause });
    this.waiting = waiting;
  }
}

interface LedgerOptions {
  readonly database: Database;
  readonly store: LedgerStore;
  readonly eventLog: Pick<EventLog, "append" | "wake" | "take">;
}

/** Desks that this process has worked on, and work on them. */
function createKeeper({ database, store, eventLog }: LedgerOptions) {
  const known = new LRUCache<string, Known>({ max: DESKS });
  /** Accounts whose rows were held against their events in this process. */
  const verified = new Set<string>();

  async function load(accountId: string): Promise<Known> {
    const found = known.get(accountId);
    if (found !== undefined) return found;
    const stored = await store.loadAll(accountId, !verified.has(accountId));
    if (stored === null) throw new AppError("account_not_found", "There is no such account");
    const { kept, events } = stored;
    let { row } = stored;
    if (kept !== null && disagreements(events, kept).length > 0) {
      await store.setHalt(accountId, HALT_LEDGER);
      row = { ...row, halt: HALT_LEDGER };
    }
    verified.add(accountId);
    const meanwhile = known.get(accountId);
    if (meanwhile !== undefined && meanwhile.desk.state.seq >= row.seq) return meanwhile;
    const made = await opened(store, row, stored);
    known.set(accountId, made);
    return made;
  }

  /** Forgets what is known of an account that was resumed meanwhile. */
  async function refresh(accountId: string): Promise<void> {
    const place = known.get(accountId);
    if (place === undefined || (place.account.row.halt === null && place.account.row.closedAt === null))
      return;
    const row = await store.find(accountId);
    if (row !== null && isOlder(place, row)) known.delete(accountId);
  }

  /** Does work in order and writes what it did. @throws Overtaken; the desk must be made anew after any error. */
  async function perform(accountId: string, batch: readonly Waiting[]): Promise<void> {
    await refresh(accountId);
    const place = await load(accountId);
    const since = place.desk.state.seq;
    const { done, refused } = doAll(place, batch);
    const { fresh } = place;
    const cursors = movedCursors(place);
    const seals = done.filter(({ waiting }) => waiting.work.seal !== undefined);
    const peak = place.account.peaks.unwritten();
    if (fresh.length + cursors.size + seals.length > 0 || peak !== null) {
      const { state } = place.desk;
      const { halt } = place.account.row;
      const written = {
        accountId,
        since,
        halt,
        events: fresh,
        state,
        causes: place.freshCauses,
        cursors,
        peak,
      };
      await keep(written, seals);
      place.account.peaks.learn(peak);
      place.fresh = [];
      place.written = new Map(place.account.cursors);
      place.freshCauses = new Map();
    }
    for (const { waiting, result } of done) waiting.resolve(result);
    for (const { waiting, error } of refused) waiting.reject(error);
  }

  /** Writes and publishes what was done, with its seals: all or nothing. @throws Overtaken, WorkFailed for a seal. */
  async function keep(written: Written, seals: readonly Done[]): Promise<void> {
    if (seals.length === 0) {
      const published = await eventLog.take(store.writeAndPublish(written));
      if (published === null) throw new Overtaken(OVERTAKEN);
      return;
    }
    await database.transaction(async (sql) => {
      if (!(await store.write(sql, written))) throw new Overtaken(OVERTAKEN);
      for (const { waiting, result } of seals) await sealed(sql, waiting, result);
      await eventLog.append(sql, announced(written.accountId, written.events));
    });
    if (written.events.length > 0) eventLog.wake();
  }

  return { known, load, perform, verified };
}

async function sealed(sql: Sql, waiting: Waiting, result: unknown): Promise<void> {
  try {
    await waiting.work.seal?.(sql, result);
  } catch (error) {
    throw new WorkFailed(waiting, error);
  }
}

interface Done {
  readonly waiting: Waiting;
  readonly result: unknown;
}

interface Refused {
  readonly waiting: Waiting;
  readonly error: unknown;
}

/**
 * What each piece of work gave; one that throws before it has done anything is refused by itself. Nobody is told before what
 * was seen is written: work that is done anew may come to something else.
 */
function doAll(place: Known, batch: readonly Waiting[]): { done: Done[]; refused: Refused[] } {
  const done: Done[] = [];
  const refused: Refused[] = [];
  for (const waiting of batch) {
    const { looksSince } = waiting;
    const before = place.fresh.length;
    if (looksSince !== null && place.desk.state.seq < looksSince) throw new Overtaken(OVERTAKEN);
    try {
      if (looksSince === null) requireTradable(place.account.row);
      done.push({ waiting, result: waiting.work.run(place.desk, place.account) });
    } catch (error) {
      // What it has done by halves is in no store; the desk is made anew.
      if (place.fresh.length > before) throw new WorkFailed(waiting, error);
      refused.push({ waiting, error });
    }
  }
  return { done, refused };
}

export function createLedger(options: LedgerOptions): Ledger {
  const { store } = options;
  const { known, load, perform, verified } = createKeeper(options);
  const queues = new Map<string, Waiting[]>();

  /** Does a batch until it is written; pieces that fail by themselves are left out. */
  async function work(accountId: string, given: readonly Waiting[]): Promise<void> {
    let batch = given;
    for (let attempt = 1; batch.length > 0; ) {
      try {
        await perform(accountId, batch);
        return;
      } catch (error) {
        known.delete(accountId);
        if (error instanceof WorkFailed) {
          error.waiting.reject(error.cause);
          batch = batch.filter((waiting) => waiting !== error.waiting);
        } else if (batch.length > 1 && isRefusal(error)) {
          // What one of them did may not be; the others are not to suffer for it.
          for (const waiting of batch) await work(accountId, [waiting]);
          return;
        } else if (!(error instanceof Overtaken) || attempt++ >= ATTEMPTS) {
          const busy = error instanceof Overtaken;
          const reason = busy ? new AppError("overloaded", "The account is busy") : error;
          for (const waiting of batch) waiting.reject(reason);
          return;
        }
      }
    }
  }

  async function drain(accountId: string, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      const changing = queue.findIndex(({ work }) => work.changesRow === true);
      const batch = queue.slice(0, changing < 0 ? BATCH : Math.min(BATCH, changing + 1));
      await work(accountId, batch);
      queue.splice(0, batch.length);
    }
    queues.delete(accountId);
  }

  function enqueue<T>(accountId: string, work: Work<T>, looksSince: number | null): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = {
        work: work as Work<unknown>,
        looksSince,
        resolve: (result) => resolve(result as T),
        reject,
      };
      const queue = queues.get(accountId);
      if (queue !== undefined) {
        queue.push(waiting);
        return;
      }
      const started = [waiting];
      queues.set(accountId, started);
      drain(accountId, started).catch(reject);
    });
  }

  return {
    act: (accountId, work) => enqueue(accountId, work, null),
    async look(accountId, look, asOf) {
      const row = asOf ?? (await store.find(accountId));
      const since = row?.seq ?? 0;
      if (!queues.has(accountId)) {
        const place = known.get(accountId);
        if (row !== null && place !== undefined && isOlder(place, row)) known.delete(accountId);
        const { desk, account } = await load(accountId);
        account.peaks.learn(row?.peak ?? null);
        if (!queues.has(accountId) && desk.state.seq >= since) return look(desk, account);
      }
      // What is under way is not true before it is written.
      const run = (desk: Desk, account: Account) => {
        // Another process may have seen a higher one, which is no event.
        account.peaks.learn(row?.peak ?? null);
        return look(desk, account);
      };
      return enqueue(accountId, { run }, since);
    },
    async verify(accountId) {
      const stored = await store.loadAll(accountId, true);
      if (stored === null || stored.kept === null) return [];
      const found = disagreements(stored.events, stored.kept);
      if (found.length > 0) await store.setHalt(accountId, HALT_LEDGER);
      known.delete(accountId);
      return found;
    },
    forget() {
      known.clear();
      verified.clear();
    },
  };
}

/** Whether the database refused what was written, so that nothing of it is there. */
function isRefusal(error: unknown): boolean {
  const passes = error instanceof AppError && ERRORS[error.code].retryable;
  return !passes && sqlState(error) !== null;
}

function requireTradable({ halt, closedAt }: AccountRow): void {
  if (closedAt !== null) throw new AppError("account_closed", "The account is closed");
  if (halt === HALT_LEDGER) {
    throw new AppError("trading_halted", "What is kept of the account contradicts its ledger");
  }
}
