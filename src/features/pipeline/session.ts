import type { Interval } from "../../core/market/interval.js";
import type { EngineTerms } from "../../core/synergy/engine.js";
import type { Ticks } from "../../core/ticks/tick.js";
import { AppError } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import { createCheckpoints } from "./checkpoints.js";
import { barsOf, synergyRow } from "./found.js";
import type { NamedTicks } from "./group-codec.js";
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
  /** @throws {AppError} as `Intake.take`; `overloaded` where there is no room for another symbol. */
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
  const shards = startShards(settings, onLost);
  const numbers = new SymbolNumbers();
  const answered = new Map<string, Promise<Answer>>();
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
    const names = numbers.names();
    sink.add({
      sequence,
      bars: barsOf(fed.bars, names, intervals),
      synergies: fed.synergies.map((each) =>
        synergyRow(each, names[each.symbol], numbers.listings[each.symbol].decision),
      ),
    });
    return fed.verdicts;
  }

  function remember(key: string, answer: Promise<Answer>): void {
    answered.set(key, answer);
    answer.catch(() => answered.delete(key));
    if (answered.size > KEYS) answered.delete(answered.keys().next().value ?? key);
  }

  const checkpoints = createCheckpoints({ ...parts, shards });
  const newest = await replayGroups({ ...parts, checkpoints, numbers, open, ensureOpen, feed, remember });
  const intake = createIntake({ ...parts, encode: (ticks) => numbers.encode(ticks), feed, newest, onLost });

  return {
    async take(batch, key) {
      const known = key === null ? undefined : answered.get(key);
      if (known !== undefined) return { ...(await known), repeated: true };
      const work = ensureOpen(batch.symbols).then(async () => ({
        verdicts: await intake.take({ ticks: numbers.numbered(batch), key }),
        repeated: false,
      }));
      if (key !== null) remember(key, work);
      return work;
    },
    pass: () => intake.pass(),
    save: checkpoints.save,
    symbols: () => numbers.names(),
    numberOf: (symbol) => numbers.numberOf(symbol),
    look: shards.look,
    waiting: () => ({ ticks: intake.waiting(), outcomes: sink.waiting() }),
    async stop(atOnce) {
      if (!atOnce) {
        await intake.idle();
        await sink.idle();
        await checkpoints.save();
      }
      sink.stop();
      await shards.stop();
    },
  };
}
