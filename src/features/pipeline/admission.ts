import { calendarOf } from "../../core/market/session.js";
import { TickGuard } from "../../core/ticks/guard.js";
import type { GuardTerms } from "../../core/ticks/guard-terms.js";
import { allocateTicks, type Ticks } from "../../core/ticks/tick.js";
import { ACCEPTED, VERDICTS } from "../../core/ticks/verdict.js";
import { AppError } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import { inSlices } from "../../platform/slices.js";
import type { NamedTicks } from "./group-codec.js";
import type { BegunState, OpenSymbol } from "./messages.js";
import type { Shards } from "./shards.js";
import type { SymbolNumbers } from "./symbol-numbers.js";

/** The verdict on ticks of a symbol for which there is no room; codes of others are places among `VERDICTS`. */
export const NO_ROOM = 255;

/** Rows between which others have their turn. */
const SLICE = 500;

export interface FirstTicks {
  /** Symbols with a tick that is sound, in the order of these ticks. */
  readonly sound: readonly string[];
  /** By row; of rows of symbols that are not `sound`, and of those before the first sound one. */
  readonly verdicts: Uint8Array;
}

/**
 * What ticks of symbols that are not open are by themselves. A symbol is opened for its first sound tick, which is accepted
 * then; what is refused takes no room.
 * @param unknown symbols that are not open.
 */
export function* judgeFirst(
  { symbols, ticks }: NamedTicks,
  unknown: ReadonlySet<string>,
  listingOf: (symbol: string) => OpenSymbol,
  terms: GuardTerms,
  receivedAt: number,
): Generator<undefined, FirstTicks, undefined> {
  const verdicts = new Uint8Array(ticks.time.length).fill(NO_ROOM);
  const sound = new Set<string>();
  const guards = new Map<string, TickGuard>();
  const single = allocateTicks(1);
  for (let i = 0; i < ticks.time.length; i++) {
    if (i % SLICE === SLICE - 1) yield;
    const symbol = symbols[ticks.symbol[i]];
    if (!unknown.has(symbol) || sound.has(symbol)) continue;
    let guard = guards.get(symbol);
    if (guard === undefined) {
      const calendar = calendarOf(listingOf(symbol).calendar);
      guard = new TickGuard([calendar], Float64Array.of(Number.NEGATIVE_INFINITY), terms);
      guard.receivedAt(receivedAt);
      guards.set(symbol, guard);
    }
    copyTick(ticks, i, single);
    const verdict = guard.judge(single, 0);
    if (verdict === ACCEPTED) sound.add(symbol);
    else verdicts[i] = verdict;
  }
  return { sound: [...sound], verdicts };
}

function copyTick({ time, price, size, id }: Ticks, i: number, into: Ticks): void {
  into.time[0] = time[i];
  into.price[0] = price[i];
  into.size[0] = size[i];
  into.id[0] = id[i];
}

/** Symbols that there is room for: what is stored goes on, however few are wanted by now. */
export function roomFor(wanted: number, stored: number, log: Log): number {
  if (stored > wanted) {
    log.warn({ stored, room: wanted }, "PIPELINE_SYMBOLS is less than are stored: no new ones are taken");
  }
  return Math.max(wanted, stored);
}

/** Lets symbols in. */
export interface Admission {
  /** Opens symbols that have no number. @throws {AppError} `overloaded` where there is no room. */
  open(symbols: readonly string[], states: readonly (BegunState | null)[]): Promise<void>;
  /** Opens those of some symbols that have no number. */
  ensureOpen(symbols: readonly string[]): Promise<void>;
  /** Opens symbols for their ticks: null where all are open then, else verdicts on the rows of those that are not. */
  admit(batch: NamedTicks): Promise<Uint8Array | null>;
}

export function createAdmission(parts: {
  readonly settings: { readonly capacity: number; readonly terms: { readonly guard: GuardTerms } };
  /** As `roomFor` says. */
  readonly capacity: number;
  readonly numbers: SymbolNumbers;
  readonly shards: Pick<Shards, "open">;
  readonly listingOf: (symbol: string) => OpenSymbol;
  readonly now: () => number;
}): Admission {
  const { settings, capacity, numbers, shards, listingOf, now } = parts;
  let opening: Promise<unknown> = Promise.resolve();

  async function open(symbols: readonly string[], states: readonly (BegunState | null)[]): Promise<void> {
    const wanted = numbers.listings.length + symbols.length;
    if (wanted > capacity) {
      throw new AppError(
        "overloaded",
        `PIPELINE_SYMBOLS is ${capacity}, and ticks of ${wanted} symbols are kept`,
      );
    }
    const added = symbols.map(listingOf);
    for (const listing of added) numbers.add(listing);
    await shards.open(added, states);
  }

  async function openNew(symbols: readonly string[]): Promise<void> {
    if (symbols.length === 0) return;
    await open(
      symbols,
      symbols.map(() => null),
    );
  }

  /** One after another, so that no symbol is opened twice. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = opening.then(work);
    opening = done.catch(() => undefined);
    return done;
  }

  return {
    open,
    ensureOpen: (symbols) => inTurn(() => openNew(numbers.unknown(symbols))),
    async admit(batch) {
      if (numbers.unknown(batch.symbols).length === 0) return null;
      return inTurn(async () => {
        const unknown = new Set(numbers.unknown(batch.symbols));
        const first = judgeFirst(batch, unknown, listingOf, settings.terms.guard, now());
        const { sound, verdicts } = await inSlices(first);
        const room = Math.max(0, settings.capacity - numbers.listings.length);
        await openNew(sound.slice(0, room));
        return Math.min(sound.length, room) === unknown.size ? null : verdicts;
      });
    },
  };
}

/**
 * Verdicts on all rows: those on the rows that were judged, and on the others what was said of them before.
 * @param onRefused told of each of the others.
 */
export function joinVerdicts(
  before: Uint8Array,
  rows: Int32Array,
  judged: Uint8Array,
  onRefused: ((reason: string) => void) | undefined,
): Uint8Array {
  const verdicts = before.slice();
  let next = 0;
  for (let i = 0; i < verdicts.length; i++) {
    if (next < rows.length && rows[next] === i) verdicts[i] = judged[next++];
    else onRefused?.(verdicts[i] === NO_ROOM ? "no_room" : VERDICTS[verdicts[i]]);
  }
  return verdicts;
}
