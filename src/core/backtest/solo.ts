import { initialOf } from "../execution/account.js";
import { feesOwed, totalOf } from "../execution/commission.js";
import type { Costs } from "../execution/costs.js";
import { roundToTick, type Traded, tickAt } from "../execution/instrument.js";
import {
  floorToLot,
  isOnLot,
  roundQuantity,
  shareMicros,
  timesMicros,
  toMicros,
} from "../execution/money.js";
import type { Candles } from "../market/candles.js";
import { computeRange } from "../patterns/pivots.js";
import { firstAbove } from "./reached.js";
import { type BacktestRules, type Happening, type Listing, tradedUnit } from "./rules.js";
import { feesOf, priceAtOpen, sizeEntry } from "./stake.js";

/** Trades as columns of one length, in the order of their entries. Money in micros, as `Trade` has it. */
export interface SoloTrades {
  readonly entryBar: Int32Array;
  /** -1 for what is open at the end. */
  readonly exitBar: Int32Array;
  /** Units, below 0 for a short trade. */
  readonly units: Float64Array;
  readonly entryMicros: Float64Array;
  readonly exitMicros: Float64Array;
  readonly fees: Float64Array;
  /** Dividends that were received, below 0 for what a short trade paid. */
  readonly dividends: Float64Array;
  /** Gain less fees, with dividends; without the gain of what is open. */
  readonly net: Float64Array;
}

/** In the place of the bar at which an exit was decided, where the bars end. */
export const END = -1;

/** Why a desk tells what comes of it. */
export const UNPAID = "a sale cannot be paid";

/** Thrown where an account would come to what only a desk can tell. */
export class NeedsDesk extends Error {
  override readonly name = "NeedsDesk";
}

/** Why a symbol has to be traded by a desk; null where an account of one position comes to the same. */
export function soloProblem({ desk, sizing, closing }: BacktestRules, listing: Listing): string | null {
  const { account } = desk;
  const { traded, happenings = [] } = listing;
  if (happenings.some(({ kind }) => kind === "split")) return "there are splits";
  if (sizing.price !== "open") return "entries are not sized at the open";
  if (closing === "close") return "what is open is closed after the last bar";
  const limits = [account.maxOrderMicros, account.maxPositions, account.maxSymbolMicros];
  if (limits.some((limit) => limit !== null)) return "the account has limits";
  const { stake, lot } = sizing;
  if (stake.kind === "units" && !isOnLot(stake.units, Math.max(lot, traded?.lot ?? 0)))
    return "what is bought is not in whole lots";
  if (account.reserveRate !== 0) return "the account puts more aside than an order costs";
  if ((traded?.borrowRate ?? account.borrowRate) > 0 || account.interestRate > 0)
    return "nights cost something";
  if (traded !== undefined && traded.fractions !== "free" && Math.max(sizing.lot, traded.lot) < 1) {
    return "fractions are not for every order";
  }
  const { commission } = traded?.costs ?? desk.costs;
  if (commission.kind === "indian_options") return "fees are of several kinds";
  if (account.kind === "cash") return null;
  if (traded?.marginable === false) return "it is not bought on margin";
  if (sizing.stake.kind !== "share" || (sizing.stake.share ?? 1) > 1)
    return "a position may be more than it can bear";
  if (account.maintenanceLong > 0 || account.maintenanceShort > 0) return "there may be margin calls";
  return account.initialLong > 1 || account.initialShort > 1
    ? "positions need more than they are worth"
    : null;
}

/** Doubles of a trade: bar and money of its entry, bar and money of its exit, units, fees, dividends. */
const WIDTH = 7;
const [ENTRY_BAR, EXIT_BAR, UNITS, ENTERED, LEFT, FEES, PAID] = [0, 1, 2, 3, 4, 5, 6];

/**
 * An account that holds one position at most, bought and sold at the open, with a stop and a target. It does what a desk
 * does with such orders, to the micro, without orders and events.
 */
export class Solo {
  readonly candles: Candles;
  /** Bars of what was not to be had, as `Turned` has them. */
  readonly turned: number[] = [];
  cash: number;
  held = 0;
  /** Of what is held; NaN without one. */
  stop = Number.NaN;
  target = Number.NaN;
  readonly #rules: BacktestRules;
  readonly #traded: Traded;
  readonly #costs: Costs;
  readonly #range: Float64Array | null;
  /** Whether a taker's price depends on the price and the side alone; then the newest of them is kept. */
  readonly #isPlain: boolean;
  #newest = { price: Number.NaN, way: 0, taken: Number.NaN };
  readonly #isCash: boolean;
  readonly #canShort: boolean;
  readonly #happenings: readonly Happening[];
  /** Happenings that have been told. */
  #told = 0;
  #rows = new Float64Array(64 * WIDTH);
  /** Where the newest trade begins. */
  #row = -WIDTH;
  #entryId = END;
  /** Units that are left of the volume of a bar, and which bar that is. */
  #left = 0;
  #leftOf = -1;
  /** A target is maker once it has rested a bar. */
  #enteredAt = -1;

  constructor(listing: Listing, rules: BacktestRules) {
    const { candles } = listing;
    const { account } = rules.desk;
    this.candles = candles;
    this.#rules = rules;
    this.#traded = listing.traded ?? tradedUnit(candles.symbol, rules.sizing);
    this.#costs = this.#traded.costs ?? rules.desk.costs;
    this.#range = this.#costs.slippage.kind === "volatility" ? computeRange(candles) : null;
    this.#isPlain = ["none", "fixed"].includes(this.#costs.slippage.kind) && this.#costs.jitterSeed === null;
    this.#isCash = account.kind === "cash";
    this.#canShort = !this.#isCash && account.shorting && this.#traded.shortable;
    this.cash = toMicros(rules.capital);
    this.#happenings = listing.happenings ?? [];
  }

  /** A low that ends what is held; NaN without one. */
  get below(): number {
    return this.held > 0 ? this.stop : this.target;
  }

  /** A high that ends it. */
  get above(): number {
    return this.held > 0 ? this.target : this.stop;
  }

  /** Open from which something happens next; Infinity for nothing. */
  get wake(): number {
    return this.#happenings[this.#told]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Pays the dividends of ex-days that have begun by a bar's open, on what was held before it, as `applyDividend` does. */
  happen(at: number): void {
    for (; this.wake <= at; this.#told++) {
      const happening = this.#happenings[this.#told];
      if (this.held === 0 || happening.kind !== "dividend") continue;
      const paid = timesMicros(happening.amount, this.held);
      this.cash += paid;
      this.#rows[this.#row + PAID] += paid;
      if (this.held > 0) this.stop = this.#lowered(this.stop, happening.amount);
      else this.target = this.#lowered(this.target, happening.amount);
    }
  }

  /** A level that rests over nights, after a dividend; NaN for NaN. */
  #lowered(level: number, amount: number): number {
    const rests = Number.isInteger(this.held) || this.#traded.fractions === "free";
    if (Number.isNaN(level) || !rests) return level;
    const lowered = roundQuantity(level - amount);
    return roundToTick(lowered, tickAt(this.#traded, lowered), -1);
  }

  /** Average price of what is held. */
  get cost(): number {
    return this.held === 0 ? Number.NaN : this.#rows[this.#row + ENTERED] / Math.abs(this.held) / 1e6;
  }

  /** Whether at a high of bars [from, to) what is held short would have cost more than there is. */
  isRuined(from: number, to: number): boolean {
    return firstAbove(this.candles.high, this.cash / -this.held / 1e6, from, to) < to;
  }

  /** Whether slippage is drawn by the names of fills. */
  get draws(): boolean {
    return this.#costs.jitterSeed !== null;
  }

  /** NaN for NaN. */
  toTick(price: number): number {
    return Number.isNaN(price) ? price : roundToTick(price, tickAt(this.#traded, price), 0);
  }

  /** Enters at the open of bar `i` what was decided at bar `decided`. Levels are NaN or on a tick. */
  enter(i: number, decided: number, way: 1 | -1, stop: number, target: number): void {
    const barred = way < 0 && !this.#canShort;
    const units = barred ? 0 : this.#unitsAt(i, decided, way);
    if (units === 0) {
      this.turned.push(i - 1);
      if (this.held !== 0) this.close(i, decided);
      return;
    }
    const open = this.candles.open[i];
    if (way * (open - stop) <= 0 || way * (target - open) <= 0) {
      this.turned.push(i - 1);
      return;
    }
    this.#fill(i, decided, way, units);
    if (this.held === 0) return;
    this.stop = stop;
    this.target = target;
    this.#entryId = decided;
    this.#enteredAt = i;
  }

  /** Closes at the open of bar `i` what is held. */
  close(i: number, decided: number): void {
    const units = Math.abs(this.held);
    const way = this.held > 0 ? -1 : 1;
    this.#spend(i, units);
    const price = this.#price(i, decided, "", way, units, this.candles.open[i]);
    const fees = feesOf(this.#costs.commission, way, units, price);
    // What is left of a ruined account in cash may not pay the fees of a sale.
    if (this.#isCash && this.cash - way * timesMicros(price, units) - fees < 0) {
      if (!Number.isNaN(this.stop) || !Number.isNaN(this.target)) throw new NeedsDesk(UNPAID);
      this.turned.push(i);
      return;
    }
    this.#end(i, way, timesMicros(price, units), fees);
  }

  /** Stop and target over bar `i`, which reaches one of them. */
  leave(i: number): void {
    const { open, high, low } = this.candles;
    const way = this.held > 0 ? -1 : 1;
    const { stop, target } = this;
    const isOld = i > this.#enteredAt;
    if (isOld && way * (open[i] - stop) >= 0) this.#take(i, way, open[i], "stop", false);
    else if (isOld && way * (target - open[i]) >= 0) this.#take(i, way, open[i], "target", true);
    else if (way > 0 ? high[i] >= stop : low[i] <= stop) {
      this.#take(i, way, stop, "stop", false);
    } else if (way > 0 ? low[i] <= target : high[i] >= target) this.#take(i, way, target, "target", true);
  }

  /** @param from the bar that trades count theirs from. */
  trades(from = 0): SoloTrades {
    const count = this.#row / WIDTH + 1;
    const rows = this.#rows;
    const found = {
      entryBar: new Int32Array(count),
      exitBar: new Int32Array(count),
      units: new Float64Array(count),
      entryMicros: new Float64Array(count),
      exitMicros: new Float64Array(count),
      fees: new Float64Array(count),
      dividends: new Float64Array(count),
      net: new Float64Array(count),
    };
    for (let k = 0, row = 0; k < count; k++, row += WIDTH) {
      const isOpen = rows[row + EXIT_BAR] < 0;
      const units = rows[row + UNITS];
      found.entryBar[k] = rows[row + ENTRY_BAR] - from;
      found.exitBar[k] = isOpen ? -1 : rows[row + EXIT_BAR] - from;
      found.units[k] = units;
      found.entryMicros[k] = rows[row + ENTERED];
      found.exitMicros[k] = rows[row + LEFT];
      found.fees[k] = rows[row + FEES];
      found.dividends[k] = rows[row + PAID];
      const gain = isOpen ? 0 : Math.sign(units) * (rows[row + LEFT] - rows[row + ENTERED]);
      // Never minus zero.
      found.net[k] = gain - rows[row + FEES] + rows[row + PAID] + 0;
    }
    return found;
  }

  /** What a taker has for a price of bar `i`. An order is sized by the price that it then has. */
  #price(i: number, decided: number, part: string, way: 1 | -1, units: number, price: number): number {
    if (!this.#isPlain) return this.#priceOf(i, decided, part, way, units, price);
    const newest = this.#newest;
    if (newest.price !== price || newest.way !== way) {
      const unknown = { open: price, volume: Number.NaN, range: Number.NaN };
      newest.taken = priceAtOpen(this.#costs, this.#traded, way, "", units, unknown);
      newest.price = price;
      newest.way = way;
    }
    return newest.taken;
  }

  #priceOf(i: number, decided: number, part: string, way: 1 | -1, units: number, price: number): number {
    const { symbol, volume, time } = this.candles;
    const range = this.#range === null || i === 0 ? Number.NaN : this.#range[i - 1];
    const id = this.draws ? `${symbol}/${decided === END ? "end" : decided}${part}|b${time[i]}` : "";
    return priceAtOpen(this.#costs, this.#traded, way, id, units, { open: price, volume: volume[i], range });
  }

  #unitsAt(i: number, decided: number, way: 1 | -1): number {
    const { stake, buffer, lot } = this.#rules.sizing;
    if (stake.kind === "units") return stake.units;
    const isShare = stake.kind === "share";
    const mark = this.candles.open[i];
    const { units } = sizeEntry(
      {
        way,
        held: this.held,
        rest: this.cash,
        share: isShare ? (stake.share ?? 1) * (1 - buffer) : null,
        amount: isShare ? 0 : toMicros(stake.amount),
        most: this.#isCash ? this.cash : Number.POSITIVE_INFINITY,
        mark,
        commission: this.#costs.commission,
        lot: Math.max(lot, this.#traded.lot),
      },
      (wanted) => this.#price(i, decided, "", way, wanted, mark),
    );
    return units;
  }

  /** One order at the open: what is held on the other side is closed first. */
  #fill(i: number, decided: number, way: 1 | -1, units: number): void {
    const { commission } = this.#costs;
    const open = this.candles.open[i];
    const closing = Math.abs(this.held);
    const all = roundQuantity(units + closing);
    this.#spend(i, all);
    const price = this.#price(i, decided, "", way, all, open);
    const micros = timesMicros(price, all);
    const fees = feesOf(commission, way, all, price);
    if (this.#isCash && micros + fees > this.cash) {
      // Refused at once where the open is too dear already, and otherwise when its costs come to it.
      const atOpen = timesMicros(open, all) + feesOf(commission, way, all, open);
      this.turned.push(atOpen > this.cash ? i - 1 : i);
      return;
    }
    if (!this.#isCash && !this.#isCovered(way, price, units, this.cash - way * micros - fees))
      throw new NeedsDesk("an entry may take more than there is");
    const closed = closing === 0 ? 0 : shareMicros(micros, closing, all);
    const feesOfClose = closing === 0 ? 0 : shareMicros(fees, closing, all);
    if (closing > 0) this.#end(i, way, closed, feesOfClose);
    this.cash -= way * (micros - closed) + fees - feesOfClose;
    this.held = way * units;
    const entered = micros - closed;
    this.#begin(i, entered, fees - feesOfClose);
  }

  /** Whether an account that is lent to has, once it is filled, what a position needs at first: as `fundsRefusal` has it. */
  #isCovered(way: 1 | -1, price: number, units: number, cash: number): boolean {
    const worth = way * timesMicros(price, units);
    return cash + worth >= initialOf(this.#rules.desk.account, this.#traded, worth);
  }

  /** Takes units of what a bar's volume leaves. @throws {NeedsDesk} where that is less: the order would be filled in part. */
  #spend(i: number, units: number): void {
    const { volumeShare } = this.#rules.desk;
    if (volumeShare === null) return;
    if (this.#leftOf !== i) this.#left = roundQuantity(this.candles.volume[i] * volumeShare);
    this.#leftOf = i;
    const most = Number.isInteger(units) ? Math.floor(this.#left) : floorToLot(this.#left, this.#traded.lot);
    if (units > most) throw new NeedsDesk("an order may be filled in part");
    this.#left = roundQuantity(this.#left - units);
  }

  #begin(i: number, entered: number, fees: number): void {
    this.#row += WIDTH;
    const row = this.#row;
    if (row === this.#rows.length) {
      const more = new Float64Array(2 * this.#rows.length);
      more.set(this.#rows);
      this.#rows = more;
    }
    this.#rows[row + ENTRY_BAR] = i;
    this.#rows[row + EXIT_BAR] = -1;
    this.#rows[row + UNITS] = this.held;
    this.#rows[row + ENTERED] = entered;
    this.#rows[row + FEES] = fees;
    this.#rows[row + PAID] = 0;
  }

  /** Fills a stop or a target. */
  #take(i: number, way: 1 | -1, level: number, name: "stop" | "target", isLimit: boolean): void {
    const units = Math.abs(this.held);
    this.#spend(i, units);
    const price = isLimit
      ? roundToTick(level, tickAt(this.#traded, level), way)
      : this.#price(i, this.#entryId, `/${name}`, way, units, level);
    const micros = timesMicros(price, units);
    const side = way > 0 ? ("buy" as const) : ("sell" as const);
    const traffic = { side, quantity: units, micros, fillMicros: micros, maker: isLimit };
    const fees = totalOf(feesOwed(this.#costs.commission, traffic, {}));
    if (this.#isCash && this.cash - way * micros - fees < 0) throw new NeedsDesk(UNPAID);
    this.#end(i, way, micros, fees);
  }

  #end(i: number, way: 1 | -1, micros: number, fees: number): void {
    this.#rows[this.#row + EXIT_BAR] = i;
    this.#rows[this.#row + LEFT] = micros;
    this.#rows[this.#row + FEES] += fees;
    this.cash -= way * micros + fees;
    if (this.cash < 0 && !this.#isCash) throw new NeedsDesk("more was lost than there is");
    this.held = 0;
    this.stop = Number.NaN;
    this.target = Number.NaN;
  }
}
