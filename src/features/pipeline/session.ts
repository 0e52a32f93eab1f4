import type { Interval } from "../../core/market/interval.js";
import type { EngineTerms } from "../../core/synergy/engine.js";
import type { RefusedRow } from "../../core/ticks/read-ndjson.js";
import { pickTicks } from "../../core/ticks/tick.js";
import { AppError } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import { createAdmission, joinVerdicts, roomFor } from "./admission.js";
import { createAnswers } from "./answers.js";
import { createCheckpoints } from "./checkpoints.js";
import type { startEngine } from "./engine-host.js";
import { barsOf } from "./found.js";
import { fingerprintOf, type NamedTicks } from "./group-codec.js";
import { createIntake, type Feed } from "./intake.js";
import { intervalsOf, type OpenSymbol } from "./messages.js";
import { replayGroups } from "./replay.js";
import { type Fed, type Shards, startShards } from "./shards.js";
import type { Sink } from "./sink.js";
import type { KeptState } from "./state-store.js";
import type { PipelineStore } from "./store.js";
import { readStoredBars } from "./stored-bars.js";
import { SymbolNumbers } from "./symbol-numbers.js";
import type { TickLog } from "./tick-log.js";

/** What the engine made of a batch. */
export interface Answer {
  /** By tick; null for a batch that was answered before a restart, and whose verdicts are not known any more. */
  readonly verdicts: Uint8Array | null;
  /** Sent before under the same key. */
  readonly repeated: boolean;
  /** As what it was sent first; nothing where that is not known, or was not told. */
  readonly of?: SentAs | undefined;
}

/** What a batch was part of when it was sent. */
export interface SentAs {
  /** Of all that was sent: the same under the same key. */
  readonly fingerprint: string;
  /** Whether the ticks are all that was sent. */
  readonly isWhole: boolean;
  /** Of each tick the row it was, and the rows that are none or were not taken. */
  readonly row: Int32Array;
  readonly refused: readonly RefusedRow[];
}

export interface SessionSettings {
  readonly threads: number;
  readonly capacity: number;
  readonly equity: number;
  /** Of the equity. */
  readonly currency: string;
  readonly terms: EngineTerms;
}

/**
 * The pipeline of one process while it alone takes ticks: kept first, then judged, then stored. It begins where the last
 * one ended, from what was kept.
 */
export interface Session {
  /**
   * Verdicts on all ticks: `NO_ROOM` where a symbol cannot be opened, and what is wrong with those of a symbol without any
   * that is sound, which are not kept.
   * @throws {AppError} as `Intake.take`; `idempotency_key_reused` where the key was sent with other ticks.
   */
  take(batch: NamedTicks, key: string | null, of?: SentAs): Promise<Answer>;
  /** Lets bars be closed by the clock. */
  pass(): Promise<void>;
  /** The recording of a symbol has ended: its bars are closed. */
  end(symbol: string): Promise<void>;
  /** Keeps what is known, so that a restart has less to do again. */
  save(): Promise<void>;
  symbols(): readonly string[];
  numberOf(symbol: string): number | null;
  look: Shards["look"];
  waiting(): { readonly ticks: number; readonly outcomes: number };
  /** Ends when all that was taken is stored, or at once. */
  stop(atOnce: boolean): Promise<void>;
}

export interface SessionParts {
  readonly settings: SessionSettings;
  readonly tickLog: TickLog;
  readonly loadStates: () => Promise<readonly KeptState[]>;
  readonly saveStates: (states: readonly KeptState[]) => Promise<void>;
  readonly listBars: PipelineStore["listBars"];
  readonly sink: Sink;
  readonly listingOf: (symbol: string) => OpenSymbol;
  readonly log: Log;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Starts each engine; in a thread of its own where nothing is said. */
  readonly startEngine?: typeof startEngine;
  /** The session cannot go on: nothing is taken any more. */
  readonly onLost: (error: unknown) => void;
  readonly onFed?: (fed: Fed, ticks: number) => void;
  /** Ticks were refused, by reason, that the engine has not seen. */
  readonly onRefused?: ((reason: string) => void) | undefined;
  readonly onKept?: (ms: number) => void;
}

/** @throws what reading the kept groups throws, and `Error` for one that cannot be read. */
export async function openSession(parts: SessionParts): Promise<Session> {
  const { settings, sink, onLost, log } = parts;
  const kept = await parts.loadStates();
  const capacity = roomFor(settings.capacity, kept.length, log);
  const shards = startShards({ ...settings, capacity }, onLost, parts.startEngine);
  const numbers = new SymbolNumbers();
  const answered = createAnswers();
  const admission = createAdmission({ ...parts, capacity, shards, numbers });
  let isReplayed = false;

  // What was judged before a restart was counted then.
  const onFed: SessionParts["onFed"] = (fed, ticks) => {
    if (isReplayed) parts.onFed?.(fed, ticks);
  };
  const feed = createFeed({ ...parts, onFed }, shards, numbers);
  const checkpoints = createCheckpoints({ ...parts, shards });
  const replayed = {
    ...{ ...parts, ...admission },
    ...{ kept, checkpoints, numbers, feed, remember: answered.remember },
    storedOf: (symbol: string) => readStoredBars(parts.listBars, settings.terms, symbol),
  };
  const newest = await replayGroups(replayed).catch(async (error: unknown) => {
    sink.stop();
    await shards.stop();
    throw error;
  });
  isReplayed = true;
  const intake = createIntake({
    ...parts,
    encode: (ticks, ended) => numbers.encode(ticks, ended),
    feed,
    newest,
    onLost,
  });

  async function takeNew(batch: NamedTicks, key: string | null, of?: SentAs): Promise<Answer> {
    const refused = await admission.admit(batch);
    const rows = refused === null ? null : numbers.rowsOf(batch);
    const ticks = numbers.numbered(rows === null ? batch : { ...batch, ticks: pickTicks(batch.ticks, rows) });
    const isWhole = (of?.isWhole ?? true) && rows === null;
    const fingerprint = key === null || isWhole ? null : (of?.fingerprint ?? fingerprintOf(batch));
    const isNone = ticks.time.length === 0;
    const judged = isNone ? new Uint8Array(0) : await intake.take({ ticks, key, fingerprint });
    if (refused === null || rows === null) return { verdicts: judged, repeated: false, of };
    return { verdicts: joinVerdicts(refused, rows, judged, parts.onRefused), repeated: false, of };
  }

  async function finish(): Promise<void> {
    await intake.idle();
    await sink.idle();
    await checkpoints.save();
  }

  return {
    take(batch, key, of) {
      if (key === null) return takeNew(batch, null, of);
      return answered.once(key, of?.fingerprint ?? fingerprintOf(batch), () => takeNew(batch, key, of));
    },
    pass: () => intake.pass(),
    async end(symbol) {
      const number = numbers.numberOf(symbol);
      if (number !== null) await intake.end([number]);
    },
    save: checkpoints.save,
    symbols: () => numbers.names,
    numberOf: (symbol) => numbers.numberOf(symbol),
    look: shards.look,
    waiting: () => ({ ticks: intake.waiting(), outcomes: sink.waiting() }),
    async stop(atOnce) {
      try {
        if (!atOnce) await finish();
      } finally {
        intake.stop(new AppError("overloaded", "The pipeline begins again from what was kept"));
        sink.stop();
        await shards.stop();
      }
    },
  };
}

/** Lets the engine have groups, and hands what it found to the sink. */
function createFeed({ settings, sink, onFed }: SessionParts, shards: Shards, numbers: SymbolNumbers): Feed {
  const intervals: readonly Interval[] = intervalsOf(settings.terms);
  return async ({ sequence, receivedAt }, ticks, ended) => {
    const count = ticks.time.length;
    const fed = await (count > 0
      ? shards.feed(sequence, receivedAt, ticks)
      : ended.length > 0
        ? shards.end(sequence, ended)
        : shards.pass(sequence, receivedAt));
    onFed?.(fed, count);
    const { names } = numbers;
    sink.add({
      sequence,
      bars: barsOf(fed.bars, names, intervals),
      synergies: fed.synergies.map((found) => ({
        ...{ found, symbol: names[found.symbol], terms: numbers.listings[found.symbol].decision },
        currency: settings.currency,
      })),
    });
    return fed.verdicts;
  };
}
