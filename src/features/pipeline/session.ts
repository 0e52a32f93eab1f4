import type { Interval } from "../../core/market/interval.js";
import type { EngineTerms } from "../../core/synergy/engine.js";
import type { Ticks } from "../../core/ticks/tick.js";
import { AppError } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import { createCheckpoints } from "./checkpoints.js";
import type { startEngine } from "./engine-host.js";
import { barsOf, synergyRow } from "./found.js";
import { fingerprintOf, type NamedTicks } from "./group-codec.js";
import { createIntake } from "./intake.js";
import { type BegunState, intervalsOf, type OpenSymbol } from "./messages.js";
import { replayGroups } from "./replay.js";
import { type Fed, type Shards, startShards } from "./shards.js";
import type { Sink } from "./sink.js";
import type { KeptState } from "./state-store.js";
import { SymbolNumbers } from "./symbol-numbers.js";
import type { TickGroup, TickLog } from "./tick-log.js";

/** What the engine made of a batch. */
export interface Answer {
  /** By tick; null for a batch that was answered before a restart, and whose verdicts are not known any more. */
  readonly verdicts: Uint8Array | null;
  /** Sent before under the same key. */
  readonly repeated: boolean;
}

export interface SessionSettings {
  readonly threads: number;
  readonly capacity: number;
  readonly equity: number;
  readonly terms: EngineTerms;
}

/**
 * The pipeline of one process while it alone takes ticks: kept first, then judged, then stored. It begins where the last
 * one ended, from what was kept.
 */
export interface Session {
  /**
   * @throws {AppError} as `Intake.take`; `overloaded` where there is no room for another symbol, `idempotency_key_reused`
   * where the key was sent with other ticks.
   */
  take(batch: NamedTicks, key: string | null): Promise<Answer>;
  /** Lets bars be closed by the clock. */
  pass(): Promise<void>;
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
  readonly onKept?: (ms: number) => void;
}

/** Keys of batches that are remembered. */
const KEYS = 10_000;

/** @throws what reading the kept groups throws, and `Error` for one that cannot be read. */
export async function openSession(parts: SessionParts): Promise<Session> {
  const { settings, sink, listingOf, onLost } = parts;
  const intervals: readonly Interval[] = intervalsOf(settings.terms);
  const shards = startShards(settings, onLost, parts.startEngine);
  const numbers = new SymbolNumbers();
  const answered = createAnswers();
  let opening: Promise<void> = Promise.resolve();

  async function open(symbols: readonly string[], states: readonly (BegunState | null)[]): Promise<void> {
    if (numbers.listings.length + symbols.length > settings.capacity) {
      throw new AppError("overloaded", `The pipeline has room for ${settings.capacity} symbols`);
    }
    const added = symbols.map(listingOf);
    for (const listing of added) numbers.add(listing);
    await shards.open(added, states);
  }

  /** Gives numbers to symbols that have none. */
  function ensureOpen(symbols: readonly string[]): Promise<void> {
    const done = opening.then(async () => {
      const unknown = numbers.unknown(symbols);
      if (unknown.length > 0)
        await open(
          unknown,
          unknown.map(() => null),
        );
    });
    opening = done.catch(() => undefined);
    return done;
  }

  /** Lets the engine have a group, and hands what it found to the sink. */
  async function feed({ sequence, receivedAt }: TickGroup, ticks: Ticks): Promise<Uint8Array> {
    const count = ticks.time.length;
    const fed = await (count === 0
      ? shards.pass(sequence, receivedAt)
      : shards.feed(sequence, receivedAt, ticks));
    parts.onFed?.(fed, count);
    const { names } = numbers;
    sink.add({
      sequence,
      bars: barsOf(fed.bars, names, intervals),
      synergies: fed.synergies.map((each) =>
        synergyRow(each, names[each.symbol], numbers.listings[each.symbol].decision),
      ),
    });
    return fed.verdicts;
  }

  const checkpoints = createCheckpoints({ ...parts, shards });
  const replayed = { ...parts, checkpoints, numbers, open, ensureOpen, feed, remember: answered.remember };
  const newest = await replayGroups(replayed).catch(async (error: unknown) => {
    sink.stop();
    await shards.stop();
    throw error;
  });
  const intake = createIntake({ ...parts, encode: (ticks) => numbers.encode(ticks), feed, newest, onLost });

  async function takeNew(batch: NamedTicks, key: string | null): Promise<Answer> {
    await ensureOpen(batch.symbols);
    const verdicts = await intake.take({ ticks: numbers.numbered(batch), key });
    return { verdicts, repeated: false };
  }

  async function finish(): Promise<void> {
    await intake.idle();
    await sink.idle();
    await checkpoints.save();
  }

  return {
    take(batch, key) {
      if (key === null) return takeNew(batch, null);
      return answered.once(key, fingerprintOf(batch), () => takeNew(batch, key));
    },
    pass: () => intake.pass(),
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

/** Answers to batches by their keys, the newest of them. */
function createAnswers() {
  const answered = new Map<string, { readonly fingerprint: string; readonly answer: Promise<Answer> }>();

  function remember(key: string, fingerprint: string, answer: Promise<Answer>): void {
    const known = { fingerprint, answer };
    answered.set(key, known);
    answer.catch(() => {
      if (answered.get(key) === known) answered.delete(key);
    });
    if (answered.size > KEYS) answered.delete(answered.keys().next().value ?? key);
  }

  return {
    remember,
    /** @throws {AppError} `idempotency_key_reused`, and what the work throws, after which the key is free. */
    async once(key: string, fingerprint: string, work: () => Promise<Answer>): Promise<Answer> {
      const known = answered.get(key);
      if (known === undefined) {
        const answer = work();
        remember(key, fingerprint, answer);
        return answer;
      }
      if (known.fingerprint !== fingerprint) {
        throw new AppError("idempotency_key_reused", "The key was sent with other ticks");
      }
      return { ...(await known.answer), repeated: true };
    },
  };
}
