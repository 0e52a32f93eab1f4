import { AssertionError, assert } from "../base/assert.js";
import { lendingColumns } from "../base/columns.js";
import { lowerBound } from "../base/search.js";
import type { DeskEvent } from "../execution/events.js";
import type { Candles } from "../market/candles.js";
import { signOf, type Trade } from "../performance/trade.js";
import type { Entry, Stand, Strategy, SymbolStrategy } from "../strategies/define.js";
import type { Values } from "../strategies/parameters.js";
import type { Decision } from "./lane.js";
import { firstReached } from "./reached.js";
import { readyFor } from "./ready.js";
import type { Backtest } from "./result.js";
import { type BacktestRules, firstCounted, type Listing, PLAIN_RULES } from "./rules.js";
import { runBacktest } from "./run.js";
import { END, NeedsDesk, Solo, type SoloTrades, soloProblem, UNPAID } from "./solo.js";
import { Marks, worthAt } from "./value.js";

/** What came of a backtest, without its orders, events and reasons. Money in micros. */
export interface Brief {
  readonly trades: SoloTrades;
  /**
   * Opens of the bars that count, of which trades name theirs, and the equity at their closes; both of the bars alone that
   * were asked for, where some were.
   */
  readonly time: Float64Array;
  readonly equity: Float64Array;
  /** How often something was asked for and not to be had. */
  readonly turned: number;
  /** Why a desk was needed; null where it was not. */
  readonly desk: string | null;
}

/** What those who run thousands ask for. */
export interface Asked {
  /** Room for the equity, of as many bars or more: the `Brief` is then good until the next run in it. */
  readonly room?: Float64Array;
  /** Of the bars that count those whose equity is wanted, ascending; all by default, which takes longer. */
  readonly bars?: Int32Array;
}

/**
 * A backtest for those who run thousands and look at trades and equity alone: decided bar by bar as `runBacktest` does,
 * with the same trades and equity to the micro, by the rule for doubtful fills. One symbol with market entries, stops, targets and exits is
 * counted without a desk, which is many times as fast; whatever needs one has it.
 * @throws AssertionError where `readyFor` has problems.
 */
export function runBrief(
  strategy: Strategy,
  listings: readonly Listing[],
  given: Values = {},
  rules: BacktestRules = PLAIN_RULES,
  asked: Asked = {},
): Brief {
  const { values, problems } = readyFor(strategy, listings, given);
  assert(values !== null, `${strategy.id}: ${problems?.join("; ") ?? ""}`);
  const problem = briefProblem(strategy, listings, rules);
  if (problem === null && strategy.scope === "symbol") {
    try {
      return walkAlone(strategy, listings[0], values, rules, null, asked);
    } catch (error) {
      if (!(error instanceof NeedsDesk)) throw error;
      return atBars(briefOf(runBacktest(strategy, listings, values, rules), error.message), asked);
    }
  }
  return atBars(briefOf(runBacktest(strategy, listings, values, rules), problem ?? ""), asked);
}

/** A brief of all bars, told of those that were asked for. */
function atBars(brief: Brief, { bars }: Asked): Brief {
  if (bars === undefined) return brief;
  const { time, equity } = brief;
  return { ...brief, time: columnAt(time, bars), equity: columnAt(equity, bars) };
}

function columnAt(column: Float64Array, bars: Int32Array): Float64Array {
  const found = new Float64Array(bars.length);
  for (let k = 0; k < bars.length; k++) found[k] = column[bars[k]];
  return found;
}

/** Why a run needs a desk; null where `walkAlone` may do. */
export function briefProblem(
  strategy: Strategy,
  listings: readonly Listing[],
  rules: BacktestRules,
): string | null {
  if (strategy.scope === "universe" || listings.length !== 1) return "there are several symbols";
  return soloProblem(rules, listings[0]);
}

const NO_ENTRY: Entry = Object.freeze({});

/** Whether a level is one, where there is any. */
function isPrice(level: number | undefined): boolean {
  return level === undefined || (level > 0 && level < Number.POSITIVE_INFINITY);
}

/** Where a strategy stands in an account of one position. */
class BriefStand implements Stand<unknown> {
  readonly symbol: string;
  readonly candles: Candles;
  readonly columns: unknown;
  readonly account: Solo;
  i = -1;
  held = 0;
  openedAt = -1;
  /** Whether anything is intended for the next open: 1 and -1 to enter, 0 to leave. */
  pending = false;
  way = 0;
  entry: Entry = NO_ENTRY;
  decided = -1;
  /** What was asked for that only a desk can do: thrown at the next open, as a strategy may catch what is thrown in it. */
  #wanted: string | null = null;
  readonly #decisions: Decision[] | null;

  constructor(account: Solo, seen: Candles, columns: unknown, decisions: Decision[] | null) {
    this.account = account;
    this.#decisions = decisions;
    this.symbol = account.candles.symbol;
    this.candles = seen;
    this.columns = columns;
  }

  get cost(): number {
    return this.account.cost;
  }

  get age(): number {
    return this.held === 0 ? -1 : this.i - this.openedAt;
  }

  get equity(): number {
    const { cash, held, candles } = this.account;
    return worthAt(cash, held, candles.close[this.i]) / 1e6;
  }

  get waiting(): boolean {
    return this.pending;
  }

  enter(way: 1 | -1, entry: Entry = NO_ENTRY): void {
    if (this.held * way > 0 || (this.pending && this.way === way)) return;
    if (entry.limit !== undefined) this.#want("an entry has a limit");
    if (!isPrice(entry.stop) || !isPrice(entry.target)) this.#want("a level is no price");
    this.#intend(way, entry);
  }

  exit(why?: string): void {
    if (this.pending ? this.way === 0 : this.held === 0) return;
    this.#intend(0, why === undefined ? NO_ENTRY : { why });
  }

  weigh(): void {
    this.#want("positions are weighed");
  }

  order(): void {
    this.#want("an order is given in full");
  }

  cancel(): void {
    this.#want("orders are canceled");
  }

  /** Carries out at the open of bar `i` what is intended. @throws {NeedsDesk} */
  open(i: number): void {
    this.requireNothing();
    const { way, entry, account, decided } = this;
    const { stop = Number.NaN, target = Number.NaN } = entry;
    const { held } = account;
    const hasLevels = entry.stop !== undefined || entry.target !== undefined;
    if (way === 0 || (hasLevels && held * way < 0)) {
      // An entry with levels waits until what is on the other side is closed.
      if (way === 0) this.pending = false;
      if (held !== 0) account.close(i, way === 0 ? decided : this.#beforeEntry());
      // It is tried again at the next open, by the same order.
      if (way !== 0 && account.held !== 0) throw new NeedsDesk(UNPAID);
      return;
    }
    this.pending = false;
    const { length } = account.turned;
    account.enter(i, decided, way > 0 ? 1 : -1, account.toTick(stop), account.toTick(target));
    // Neither the entry nor the sale in its stead, by one order.
    if (account.turned.length > length + 1) throw new NeedsDesk(UNPAID);
  }

  /** Leaves at the open of the last bar, whatever is intended. */
  end(i: number): void {
    this.requireNothing();
    this.pending = false;
    if (this.account.held !== 0) this.account.close(i, END);
  }

  /** @throws {NeedsDesk} where something was asked for that only a desk can do. */
  requireNothing(): void {
    if (this.#wanted !== null) throw new NeedsDesk(this.#wanted);
  }

  #want(what: string): void {
    this.#wanted ??= what;
    this.pending = true;
  }

  /** The id of that close differs, which only a draw of slippage would notice. */
  #beforeEntry(): number {
    if (this.account.draws) throw new NeedsDesk("slippage is drawn for the close before an entry");
    return this.decided;
  }

  #intend(way: number, entry: Entry): void {
    if (this.account.draws && this.decided === this.i)
      this.#want("slippage is drawn for a second decision of a bar");
    this.pending = true;
    this.way = way;
    this.entry = entry;
    this.decided = this.i;
    this.#decisions?.push({
      at: this.account.candles.time[this.i],
      bar: this.i,
      symbol: this.symbol,
      does: way === 0 ? "exit" : "enter",
      way: way === 0 ? Number.NaN : way,
      entry,
      wish: null,
      why: entry.why ?? null,
    });
  }
}

/**
 * One symbol without a desk. What its strategy declares is lent to it until it returns.
 * @param decisions takes what is decided, as a `Backtest` has it.
 * @throws {NeedsDesk} where it comes to what only a desk can tell.
 */
export function walkAlone(
  strategy: SymbolStrategy,
  listing: Listing,
  values: Values,
  rules: BacktestRules,
  decisions: Decision[] | null = null,
  asked: Asked = {},
): Brief {
  return lendingColumns(() => walkBars(strategy, listing, values, rules, decisions, asked));
}

function walkBars(
  strategy: SymbolStrategy,
  listing: Listing,
  values: Values,
  rules: BacktestRules,
  decisions: Decision[] | null,
  asked: Asked,
): Brief {
  const { candles, seen = candles, facts } = listing;
  const account = new Solo(listing, rules);
  // Looked up once: each row of the table has a hidden class of its own.
  const { walk, next } = strategy;
  const columns = strategy.declare(seen, values, facts, rules.calendar);
  const stand = new BriefStand(account, seen, columns, decisions);
  const { time } = candles;
  const { length } = time;
  const from = firstCounted(rules, time);
  const equity = asked.room?.subarray(0, length - from) ?? new Float64Array(length - from);
  const marks = new Marks(account, equity, from, asked.bars ?? null);
  const warmup = strategy.warmup(values);
  const last = rules.closing === "last_open" ? length - 1 : length;
  let wakeBar = lowerBound(time, account.wake);
  for (let i = from; i < length; i++) {
    if (i >= wakeBar) {
      marks.until(i);
      account.happen(time[i]);
      wakeBar = lowerBound(time, account.wake);
    }
    if (stand.pending || i === last) {
      marks.until(i);
      if (i === last) stand.end(i);
      else stand.open(i);
      if (account.held !== 0 && stand.held * account.held <= 0) stand.openedAt = i;
      stand.held = account.held;
    }
    if (firstReached(account, i, i + 1) === i) {
      marks.until(i);
      account.leave(i);
      stand.held = account.held;
    }
    if (i >= warmup) {
      const until = next === undefined ? Math.min(wakeBar, last) : i;
      i = askFrom(stand, walk, account, i, until);
      if (stand.pending) continue;
    }
    if (next === undefined) continue;
    const told = next(columns, Math.max(i + 1, warmup));
    if (!(told > i)) throw new AssertionError(`${strategy.id}: the next bar at which it may act is ${told}`);
    const until = Math.min(told, wakeBar, last);
    i = firstReached(account, i + 1, Math.max(i + 1, until)) - 1;
  }
  stand.requireNothing();
  marks.until(length);
  const brief = {
    trades: account.trades(from),
    time: time.subarray(from),
    equity,
    turned: account.turned.length,
    desk: null,
  };
  return atBars(brief, asked);
}

/**
 * Asks a strategy at bar `i` and at those after it that are before `until` and come to no stop or target, as long as nothing
 * is intended. A loop of its own, with little to keep at hand. @returns the last bar at which it was asked.
 */
function askFrom(
  stand: BriefStand,
  walk: SymbolStrategy["walk"],
  { candles, below, above }: Solo,
  i: number,
  until: number,
): number {
  const { low, high } = candles;
  const isBelow = !Number.isNaN(below);
  const isAbove = !Number.isNaN(above);
  for (;;) {
    stand.i = i;
    walk(stand);
    const after = i + 1;
    if (after >= until || stand.pending) return i;
    if ((isBelow && low[after] <= below) || (isAbove && high[after] >= above)) return i;
    i = after;
  }
}

/** The same of a backtest that has more. */
export function briefOf({ trades, events, time, equity, turned }: Backtest, desk: string): Brief {
  const column = (of: (trade: Trade) => number) => Float64Array.from(trades, of);
  const barOf = (seq: number | null) =>
    seq === null ? -1 : lowerBound(time, barTime(events[seq - 1]) + 1) - 1;
  return {
    trades: {
      entryBar: Int32Array.from(trades, ({ openedSeq }) => barOf(openedSeq)),
      exitBar: Int32Array.from(trades, ({ closedSeq }) => barOf(closedSeq)),
      units: column((trade) => signOf(trade) * trade.quantity),
      entryMicros: column(({ entryMicros }) => entryMicros),
      exitMicros: column(({ exitMicros }) => exitMicros),
      fees: column(({ fees }) => fees),
      dividends: column(({ dividends }) => dividends),
      net: column(({ net }) => net),
    },
    time,
    equity,
    turned: new Set(turned.map(({ orderId }) => orderId)).size,
    desk,
  };
}

/**
 * Open of the bar of an event: its fill is named by it, since its instant may be that of the next one. At a quote, its
 * instant.
 */
export function barTime(event: DeskEvent): number {
  if (event.kind !== "order" || !("fill" in event)) return event.at;
  const { id } = event.fill;
  return Number(id.slice(id.lastIndexOf("|") + 2));
}
