import { assert } from "../base/assert.js";
import type { Costs } from "../execution/costs.js";
import type { Traded } from "../execution/instrument.js";
import { roundQuantity, shareMicros, timesMicros, toMicros } from "../execution/money.js";
import { computeRange } from "../patterns/pivots.js";
import type { Masks } from "./mask.js";
import { type BacktestRules, type Listing, tradedUnit } from "./rules.js";
import { feesOf, priceAtOpen, sizeEntry } from "./stake.js";

/** Trades as columns of one length, in the order of their entries. Money in micros, as `Trade` has it. */
export interface MaskTrades {
  readonly entryBar: Int32Array;
  /** -1 for what is open at the end. */
  readonly exitBar: Int32Array;
  /** Units, below 0 for a short trade. */
  readonly units: Float64Array;
  readonly entryMicros: Float64Array;
  readonly exitMicros: Float64Array;
  readonly fees: Float64Array;
  /** Gain less fees; of what is open its fees alone, below 0. */
  readonly net: Float64Array;
}

export interface MaskRun {
  readonly trades: MaskTrades;
  /** At the close of each bar, micros. */
  readonly equity: Float64Array;
  /** Bars at whose close an entry was decided that came to less than a lot, and bars at whose open a sale did not pay its fees. */
  readonly turned: readonly number[];
}

/** Why masks have to be traded by events; null where the fast path gives the same. */
export function maskProblem(
  { desk, sizing, closing }: BacktestRules,
  { traded, happenings = [] }: Listing,
  masks: Masks,
): string | null {
  const { account, volumeShare } = desk;
  if (happenings.length > 0) return "there are splits or dividends";
  if (volumeShare !== null) return "orders may be filled in part";
  if (sizing.price !== "open" || sizing.stake.kind === "units") return "entries are not sized at the open";
  if (sizing.buffer !== 0 || sizing.stake.kind === "money")
    return "entries do not put in a share of the equity";
  if (closing === "close") return "what is open is closed after the last bar";
  const limits = [account.maxOrderMicros, account.maxPositions, account.maxSymbolMicros];
  if (limits.some((limit) => limit !== null)) return "the account has limits";
  if (account.reserveRate !== 0) return "the account puts more aside than an order costs";
  if ((traded?.borrowRate ?? account.borrowRate) > 0 || account.interestRate > 0)
    return "nights cost something";
  const { commission } = traded?.costs ?? desk.costs;
  if (commission.kind === "indian_options") return "fees are of several kinds";
  if (masks.side === "long" && account.kind === "cash") return null;
  if (account.kind === "cash" || !account.shorting || traded?.shortable === false)
    return "nothing can be sold short";
  if (account.maintenanceLong > 0 || account.maintenanceShort > 0) return "there may be margin calls";
  return account.initialLong > 1 || account.initialShort > 1
    ? "positions need more than they are worth"
    : null;
}

/**
 * Trades masks without a desk: the same trades and the same equity as `runBacktest` has of `maskStrategy`, to the micro.
 * @throws AssertionError where `maskProblem` has something to say.
 */
export function runMasks(listing: Listing, masks: Masks, rules: BacktestRules): MaskRun {
  const problem = maskProblem(rules, listing, masks);
  assert(problem === null, problem ?? "");
  return new MaskWalk(listing, masks, rules).run();
}

class MaskWalk {
  readonly #listing: Listing;
  readonly #masks: Masks;
  readonly #rules: BacktestRules;
  readonly #traded: Traded;
  readonly #costs: Costs;
  readonly #range: Float64Array | null;
  readonly #step: number;
  readonly #rows: Row[] = [];
  readonly #turned: number[] = [];
  #cash: number;
  #held = 0;

  constructor(listing: Listing, masks: Masks, rules: BacktestRules) {
    const { candles } = listing;
    this.#listing = listing;
    this.#masks = masks;
    this.#rules = rules;
    this.#traded = listing.traded ?? tradedUnit(candles.symbol, rules.sizing);
    this.#costs = this.#traded.costs ?? rules.desk.costs;
    this.#range = this.#costs.slippage.kind === "volatility" ? computeRange(candles) : null;
    this.#step = Math.max(rules.sizing.lot, this.#traded.lot);
    this.#cash = toMicros(rules.capital);
  }

  run(): MaskRun {
    const { length } = this.#listing.candles.time;
    const equity = new Float64Array(length);
    const isFree = this.#rules.closing === "last_open" ? length - 1 : length;
    let from = 0;
    // Each stretch ends with the bar at whose close something is asked for.
    while (from < length) {
      const at = this.#next(from, isFree - 1);
      this.#mark(equity, from, Math.min(at + 1, length));
      from = at + 1;
      if (from < isFree) this.#act(from);
      else if (from < length && this.#held !== 0) this.#close(from, END);
    }
    return { trades: columnsOf(this.#rows), equity, turned: this.#turned };
  }

  /** First bar from `from` on at whose close something is asked for; the last one whose order can be filled otherwise. */
  #next(from: number, last: number): number {
    const { entries, exits, side } = this.#masks;
    let i = from;
    if (side === "long" && this.#held > 0) while (i < last && exits[i] !== 1) i++;
    else if (side === "long") while (i < last && (entries[i] !== 1 || exits[i] === 1)) i++;
    else if (this.#held === 0) while (i < last && entries[i] === exits[i]) i++;
    else if (this.#held > 0) while (i < last && (exits[i] !== 1 || entries[i] === 1)) i++;
    else while (i < last && (entries[i] !== 1 || exits[i] === 1)) i++;
    return i;
  }

  /** Carries out at the open of bar `i` what was asked for at the close before. */
  #act(i: number): void {
    const { entries, exits, side } = this.#masks;
    const held = this.#held;
    if (side === "long" && held > 0) {
      if (exits[i - 1] === 1) this.#close(i, i - 1);
    } else if (entries[i - 1] !== exits[i - 1]) {
      const way = entries[i - 1] === 1 ? 1 : -1;
      if (side === "both" ? held * way <= 0 : way > 0) this.#enter(i, way);
    }
  }

  #price(i: number, decided: number, way: 1 | -1, units: number): number {
    const { candles } = this.#listing;
    const { open, volume, time } = candles;
    const range = this.#range === null || i === 0 ? Number.NaN : this.#range[i - 1];
    const name = decided === END ? "end" : decided;
    const id = this.#costs.jitterSeed === null ? "" : `${candles.symbol}/${name}|b${time[i]}`;
    return priceAtOpen(this.#costs, this.#traded, way, id, units, {
      open: open[i],
      volume: volume[i],
      range,
    });
  }

  #enter(i: number, way: 1 | -1): void {
    const { desk, sizing } = this.#rules;
    const { commission } = this.#costs;
    const mark = this.#listing.candles.open[i];
    const { units } = sizeEntry(
      {
        way,
        held: this.#held,
        rest: this.#cash,
        share: sizing.stake.kind === "share" ? (sizing.stake.share ?? 1) : 1,
        amount: 0,
        most: desk.account.kind === "cash" ? this.#cash : Number.POSITIVE_INFINITY,
        mark,
        commission,
        lot: this.#step,
      },
      (wanted) => this.#price(i, i - 1, way, wanted),
    );
    if (units === 0) {
      this.#turned.push(i - 1);
      if (this.#held !== 0) this.#close(i, i - 1);
      return;
    }
    const closing = Math.abs(this.#held);
    const all = roundQuantity(units + closing);
    const price = this.#price(i, i - 1, way, all);
    const micros = timesMicros(price, all);
    const fees = feesOf(commission, way, all, price);
    const closed = closing === 0 ? 0 : shareMicros(micros, closing, all);
    const feesOfClose = closing === 0 ? 0 : shareMicros(fees, closing, all);
    if (closing > 0) this.#end(i, closed, feesOfClose);
    this.#cash -= way * micros + fees;
    this.#held = way * units;
    const entered = micros - closed;
    this.#rows.push({
      entryBar: i,
      exitBar: -1,
      units: this.#held,
      entered,
      left: 0,
      fees: fees - feesOfClose,
    });
  }

  #close(i: number, decided: number): void {
    const units = Math.abs(this.#held);
    const way = this.#held > 0 ? -1 : 1;
    const price = this.#price(i, decided, way, units);
    const micros = timesMicros(price, units);
    const fees = feesOf(this.#costs.commission, way, units, price);
    // What is left of a ruined account in cash may not pay the fees of a sale.
    if (this.#rules.desk.account.kind === "cash" && this.#cash - way * micros - fees < 0) {
      this.#turned.push(i);
      return;
    }
    this.#end(i, micros, fees);
    this.#cash -= way * micros + fees;
    this.#held = 0;
  }

  #end(i: number, micros: number, fees: number): void {
    const row = this.#rows[this.#rows.length - 1];
    row.exitBar = i;
    row.left = micros;
    row.fees += fees;
  }

  #mark(equity: Float64Array, from: number, to: number): void {
    const held = this.#held;
    const cash = this.#cash;
    if (held === 0) {
      equity.fill(cash, from, to);
      return;
    }
    const { close } = this.#listing.candles;
    for (let i = from; i < to; i++) equity[i] = cash + timesMicros(close[i], held);
  }
}

/** In the place of the bar at which the last exit was decided, where the bars end. */
const END = -1;

interface Row {
  readonly entryBar: number;
  exitBar: number;
  readonly units: number;
  readonly entered: number;
  left: number;
  fees: number;
}

function columnsOf(rows: readonly Row[]): MaskTrades {
  const column = (of: (row: Row) => number) => Float64Array.from(rows, of);
  return {
    entryBar: Int32Array.from(rows, ({ entryBar }) => entryBar),
    exitBar: Int32Array.from(rows, ({ exitBar }) => exitBar),
    units: column(({ units }) => units),
    entryMicros: column(({ entered }) => entered),
    exitMicros: column(({ left }) => left),
    fees: column(({ fees }) => fees),
    net: column(({ exitBar, units, entered, left, fees }) =>
      exitBar < 0 ? -fees : Math.sign(units) * (left - entered) - fees,
    ),
  };
}
