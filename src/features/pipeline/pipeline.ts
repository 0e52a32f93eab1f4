import type { Interval } from "../../core/market/interval.js";
import type { DecisionTerms } from "../../core/synergy/decision-terms.js";
import type { BoardColumns } from "../../core/synergy/track.js";
import type { TickBatch } from "../../core/ticks/batch.js";
import type { RefusedRow } from "../../core/ticks/read-ndjson.js";
import { ACCEPTED, HELD, VERDICTS } from "../../core/ticks/verdict.js";
import { AppError, messageOf } from "../../platform/errors.js";
import type { Lease, Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Counts } from "./counts.js";
import { partOf } from "./replay.js";
import type { Session } from "./session.js";
import type { PipelineStore } from "./store.js";

/** Ticks as they were sent. */
export interface SentTicks extends TickBatch {
  /** Of each tick the row it was. */
  readonly row: Int32Array;
  /** Rows that are no ticks. */
  readonly refused: readonly RefusedRow[];
}

/** What became of the rows of a batch. */
export interface Receipt {
  /** Null for a batch that was answered before a restart. */
  readonly accepted: number | null;
  readonly rejected: readonly RefusedRow[];
  /** Rows far from the price before them, which the next tick of their symbol will confirm or refute. */
  readonly held: readonly number[];
  /** Answered before under the same key. */
  readonly repeated: boolean;
}

export interface Pipeline {
  /**
   * Takes ticks: once it is answered, what was accepted is kept.
   * @param source whose ticks they are: of a symbol those of one source at a time are taken.
   * @param key chosen by the sender, under which a batch is taken once.
   * @throws {AppError} `overloaded`, `pipeline_elsewhere`, `database_unavailable`, `shutting_down`.
   */
  take(sent: SentTicks, source: string, key?: string | null): Promise<Receipt>;
  /** What is known of a symbol now. @throws {AppError} `no_data` for one without ticks. */
  look(symbol: string): Promise<BoardColumns>;
  symbols(): readonly string[];
  waiting(): { readonly ticks: number; readonly outcomes: number };
  /** Where it runs: here, elsewhere, or nowhere yet. */
  state(): "running" | "starting" | "elsewhere" | "idle" | "stopped";
  readonly counts: Counts;
  readonly store: PipelineStore;
  readonly terms: DecisionTerms;
  readonly intervals: readonly Interval[];
  readonly loop: LoopDefinition;
  /** Stores all that was taken, and lets others take over. */
  stop(): Promise<void>;
}

export const PIPELINE_LEASE = "pipeline";
const LEASE_MS = 15_000;
const EVERY_MS = 1_000;
const SAVE_MS = 60_000;
/** How often it is looked whether there is something to go on from. */
const LOOK_MS = 30_000;
/** A symbol is another source's for so long after its last tick of one. */
const SOURCE_MS = 3_600_000;
const SOURCES = 65_536;

export interface PipelineParts {
  readonly leases: Pick<Leases, "acquire" | "release">;
  /** Opens a session under a lease. @param onLost for when it cannot go on. */
  readonly open: (lease: () => Lease, onLost: (error: unknown) => void) => Promise<Session>;
  /** Why a symbol is not taken; null for one that is. */
  readonly refusalOf: (symbol: string) => string | null;
  readonly counts: Counts;
  readonly store: PipelineStore;
  readonly terms: DecisionTerms;
  readonly intervals: readonly Interval[];
  /** Length of the shortest bars, ms, and how long after their end they are closed by the clock. */
  readonly barMs: number;
  readonly graceMs: number;
  readonly now: () => number;
  readonly log: Log;
}

export function createPipeline(parts: PipelineParts): Pipeline {
  const { leases, refusalOf, counts, barMs, graceMs, now, log } = parts;
  const sources = new Map<string, { source: string; at: number }>();
  let session: Session | null = null;
  let opening: Promise<Session> | null = null;
  let isElsewhere = false;
  let isStopped = false;
  let passed = 0;
  let savedAt = now();
  let looksAt = 0;
  let isChanged = false;

  function lost(error: unknown): void {
    log.error({ err: error }, "the pipeline cannot go on; it begins again from what was kept");
    const gone = session;
    session = null;
    void gone
      ?.stop(true)
      .catch((failure: unknown) => log.error({ err: failure }, "the pipeline was not ended"));
  }

  async function open(): Promise<Session> {
    const lease = await leases.acquire(PIPELINE_LEASE, LEASE_MS);
    isElsewhere = lease === null;
    if (lease === null) {
      throw new AppError("pipeline_elsewhere", "Another process takes ticks: send them there", {
        retryAfterS: 5,
      });
    }
    const opened = await parts.open(() => lease, lost);
    if (isStopped) {
      await opened.stop(true);
      throw new AppError("shutting_down", "The server is shutting down", { retryAfterS: 2 });
    }
    session = opened;
    return opened;
  }

  function ensureSession(): Promise<Session> {
    if (isStopped) {
      return Promise.reject(new AppError("shutting_down", "The server is shutting down", { retryAfterS: 2 }));
    }
    if (session !== null) return Promise.resolve(session);
    opening ??= open().finally(() => {
      opening = null;
    });
    return opening;
  }

  /** Why ticks of a symbol from a source are not taken. */
  function refusal(symbol: string, source: string): string | null {
    const known = sources.get(symbol);
    if (known !== undefined && known.source !== source && now() - known.at < SOURCE_MS) {
      return `other_source: ticks of ${symbol} come from ${known.source}`;
    }
    const reason = known === undefined ? refusalOf(symbol) : null;
    if (reason !== null) return reason;
    if (known === undefined && sources.size >= SOURCES) return "no_room: too many symbols";
    sources.set(symbol, { source, at: now() });
    return null;
  }

  async function run(): Promise<void> {
    if (session === null && !isChanged) {
      if (now() < looksAt) return;
      looksAt = now() + LOOK_MS;
      if (await isIdle()) return;
    }
    const open = await ensureSession().catch((error: unknown) => {
      if (error instanceof AppError && error.code === "pipeline_elsewhere") return null;
      throw error;
    });
    if (open === null) return;
    if ((await leases.acquire(PIPELINE_LEASE, LEASE_MS)) === null) {
      lost(new Error("another process has taken over"));
      return;
    }
    const slot = Math.floor((now() - graceMs) / barMs);
    if (slot > passed && open.symbols().length > 0) {
      passed = slot;
      await open.pass();
    }
    if (isChanged && now() - savedAt >= SAVE_MS) {
      isChanged = false;
      savedAt = now();
      await open.save();
    }
  }

  /** Whether nobody has sent anything yet: then there is nothing to go on from. */
  async function isIdle(): Promise<boolean> {
    return !(await parts.store.isBegun());
  }

  return {
    async take({ symbols, ticks, row, refused }, source, key = null) {
      const started = performance.now();
      const refusals = symbols.map((symbol) => refusal(symbol, source));
      const rejected = [...refused];
      const rows: number[] = [];
      for (let i = 0; i < row.length; i++) {
        const reason = refusals[ticks.symbol[i]];
        if (reason === null) rows.push(i);
        else rejected.push({ index: row[i], reason });
      }
      const held: number[] = [];
      let accepted: number | null = 0;
      let repeated = false;
      if (rows.length > 0) {
        isChanged = true;
        const open = await ensureSession();
        const kept = Int32Array.from(rows);
        const answer = await open.take({ symbols, ticks: partOf(ticks, kept) }, key);
        ({ repeated } = answer);
        if (answer.verdicts === null) accepted = null;
        else {
          for (const [k, verdict] of answer.verdicts.entries()) {
            if (verdict === ACCEPTED) accepted++;
            else if (verdict === HELD) held.push(row[kept[k]]);
            else rejected.push({ index: row[kept[k]], reason: VERDICTS[verdict] });
          }
        }
      }
      counts.time("answer", performance.now() - started);
      rejected.sort((a, b) => a.index - b.index);
      return { accepted, rejected, held, repeated };
    },
    async look(symbol) {
      const open = session ?? ((await isIdle()) ? null : await ensureSession());
      const number = open?.numberOf(symbol) ?? null;
      if (open === null || number === null) throw new AppError("no_data", `No ticks of ${symbol} were taken`);
      const found = open.look(number);
      if (found === null) throw new AppError("overloaded", "The pipeline is busy", { retryAfterS: 1 });
      return found;
    },
    symbols: () => session?.symbols() ?? [],
    waiting: () => session?.waiting() ?? { ticks: 0, outcomes: 0 },
    state() {
      if (isStopped) return "stopped";
      if (session !== null) return "running";
      if (opening !== null) return "starting";
      return isElsewhere ? "elsewhere" : "idle";
    },
    counts,
    store: parts.store,
    terms: parts.terms,
    intervals: parts.intervals,
    loop: {
      name: PIPELINE_LEASE,
      everyMs: () => EVERY_MS,
      timeoutMs: 30_000,
      run,
    },
    async stop() {
      isStopped = true;
      await opening?.catch((error: unknown) =>
        log.debug({ reason: messageOf(error) }, "the pipeline was not opened"),
      );
      await session?.stop(false);
      session = null;
      await leases.release(PIPELINE_LEASE);
    },
  };
}
