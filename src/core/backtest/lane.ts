import type { Costs } from "../execution/costs.js";
import type { Desk } from "../execution/desk.js";
import type { BarFacts } from "../execution/facts.js";
import { roundToTick, type Traded, tickAt } from "../execution/instrument.js";
import type { Order } from "../execution/order.js";
import { isTerminal } from "../execution/states.js";
import type { RefusalCode } from "../execution/validate.js";
import type { Candles } from "../market/candles.js";
import type { Entry, Stand, Wish } from "../strategies/define.js";
import { barFacts } from "./facts.js";
import type { BacktestRules, Happening } from "./rules.js";
import { setZone, type Zone } from "./zone.js";

/** What a strategy decided at the close of a bar, and what it took effect as. */
export interface Decision {
  /** Open of the bar at whose close it was decided, epoch ms: among several symbols it may be another's bar. */
  readonly at: number;
  /** The newest bar of the symbol. */
  readonly bar: number;
  readonly symbol: string;
  readonly does: "enter" | "exit" | "weigh" | "order" | "cancel";
  /** Side of an entry, share of a weight; NaN otherwise. */
  readonly way: number;
  readonly entry: Entry | null;
  readonly wish: Wish | null;
  readonly why: string | null;
}

/** What a strategy asked for and did not get. */
export interface Turned {
  /** At which it was asked for; for what was refused when it came to be filled, the bar of that. */
  readonly bar: number;
  readonly symbol: string;
  readonly orderId: string;
  /** A desk's refusal, what it said when it came to fill the order, or `stake_too_small` for less than a lot. */
  readonly reason: RefusalCode | "stake_too_small" | (string & {});
}

/** What is to be done at the next open. */
export interface Intent {
  readonly does: "enter" | "exit" | "weigh";
  readonly way: number;
  readonly entry: Entry;
  readonly id: string;
}

/** What lanes of a run share. */
export interface Run {
  readonly desk: Desk;
  readonly rules: BacktestRules;
  readonly decisions: Decision[];
  readonly turned: Turned[];
  /** Reasons of orders by id, where there are any. */
  readonly reasons: Map<string, string>;
  /** Equity of the account at the newest close, micros. */
  equity: number;
  /** Open of the bar that is walked, epoch ms. */
  now: number;
}

const NO_ENTRY: Entry = Object.freeze({});

/** One symbol of a run: its bars, its orders, and the place where the strategy stands in it. */
export class Lane implements Stand<unknown> {
  readonly symbol: string;
  readonly candles: Candles;
  readonly bars: Candles;
  readonly columns: unknown;
  readonly instrument: Traded;
  readonly costs: Costs;
  readonly happenings: readonly Happening[];
  readonly zone: Zone = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  i = -1;
  held = 0;
  intent: Intent | null = null;
  /** The price by which it is counted before the next bar: its open, or the close before. */
  mark = Number.NaN;
  /** The newest bar before which a split or a dividend came. */
  adjustedAt = -1;
  /** Bar that opened what is held. */
  openedAt = -1;
  /** Happenings that have been told. */
  told = 0;
  readonly #run: Run;
  readonly #range: Float64Array | null;
  /** Bar of the newest id, and how many it has. */
  #idBar = -1;
  #ids = 0;

  constructor(
    run: Run,
    bars: Candles,
    seen: Candles,
    columns: unknown,
    instrument: Traded,
    happenings: readonly Happening[],
    range: Float64Array | null,
  ) {
    this.#run = run;
    this.symbol = bars.symbol;
    this.bars = bars;
    this.candles = seen;
    this.columns = columns;
    this.instrument = instrument;
    this.costs = instrument.costs ?? run.rules.desk.costs;
    this.happenings = happenings;
    this.#range = range;
  }

  get cost(): number {
    const position = this.#run.desk.state.positions.get(this.symbol);
    return position === undefined ? Number.NaN : position.cost / position.quantity / 1e6;
  }

  get age(): number {
    return this.held === 0 ? -1 : this.i - this.openedAt;
  }

  get equity(): number {
    return this.#run.equity / 1e6;
  }

  get waiting(): boolean {
    if (this.intent !== null) return true;
    const working = this.working();
    for (const { state, role } of working) {
      if (!isTerminal(state) && (role === "single" || role === "parent")) return true;
    }
    return false;
  }

  working(): readonly Readonly<Order>[] {
    return this.#run.desk.working(this.symbol);
  }

  facts(i: number): BarFacts {
    return barFacts(this.bars, this.#run.rules.calendar, this.#range, i);
  }

  /** Average range of the bars before `i`; NaN while it is not known. */
  rangeBefore(i: number): number {
    return this.#range === null || i === 0 ? Number.NaN : this.#range[i - 1];
  }

  enter(way: 1 | -1, entry: Entry = NO_ENTRY): void {
    if (this.held * way > 0 || (this.intent?.does === "enter" && this.intent.way === way)) return;
    if (this.intent === null && this.held === 0 && this.waiting) return;
    this.#intend("enter", way, entry);
  }

  exit(why?: string): void {
    if (this.held === 0 && !this.waiting) return;
    if (this.intent?.does === "exit") return;
    this.#intend("exit", Number.NaN, why === undefined ? NO_ENTRY : { why });
  }

  weigh(share: number, why?: string): void {
    if (share === 0 && this.held === 0 && !this.waiting) return;
    this.#intend("weigh", share, why === undefined ? NO_ENTRY : { why });
  }

  order(wish: Wish, why?: string): void {
    const { desk } = this.#run;
    const id = this.#id();
    this.#decide({ does: "order", way: Number.NaN, entry: null, wish, why: why ?? null });
    desk.mark(this.symbol, this.bars.close[this.i]);
    const terms = { ...wish, ...this.#rounded(wish), id, symbol: this.symbol, conditions: null };
    this.tell(id, desk.submit(terms, this.moment(this.i)), why ?? null);
    setZone(this.zone, this.working());
  }

  cancel(): void {
    if (this.working().length === 0 && this.intent === null) return;
    this.#decide({ does: "cancel", way: Number.NaN, entry: null, wish: null, why: null });
    this.intent = null;
    this.cancelAll(this.facts(this.i).until);
    setZone(this.zone, this.working());
  }

  /** When an order after bar `i` comes, and whether the next bar follows at once. */
  moment(i: number): { readonly at: number; readonly open: boolean } {
    const { until } = this.facts(i);
    return { at: until, open: until === this.bars.time[i + 1] };
  }

  cancelAll(at: number): void {
    for (const { id, state } of [...this.working()]) {
      if (!isTerminal(state)) this.#run.desk.cancel(id, at);
    }
  }

  /** Notes why an order was refused, or what it was for. */
  tell(orderId: string, refused: readonly { readonly code: RefusalCode }[], why: string | null): void {
    const { symbol, i: bar } = this;
    for (const { code } of refused) this.#run.turned.push({ bar, symbol, orderId, reason: code });
    if (refused.length === 0 && why !== null) this.#run.reasons.set(orderId, why);
  }

  /** To a tick that an order may have. */
  toTick(price: number): number {
    return roundToTick(price, tickAt(this.instrument, price), 0);
  }

  /** What bar `i` left: the position, and where orders wait. */
  settle(i: number): void {
    const { desk } = this.#run;
    const before = this.held;
    this.held = desk.state.positions.get(this.symbol)?.quantity ?? 0;
    if (this.held !== 0 && (before === 0 || before > 0 !== this.held > 0)) this.openedAt = i;
    setZone(this.zone, this.working());
  }

  #intend(does: Intent["does"], way: number, entry: Entry): void {
    const id = this.#id();
    this.#decide({ does, way, entry, wish: null, why: entry.why ?? null });
    this.intent = { does, way, entry, id };
  }

  #decide(decision: Omit<Decision, "at" | "bar" | "symbol">): void {
    const { decisions, now: at } = this.#run;
    decisions.push({ at, bar: this.i, symbol: this.symbol, ...decision });
  }

  #id(): string {
    if (this.#idBar !== this.i) {
      this.#idBar = this.i;
      this.#ids = 0;
    }
    this.#ids++;
    return this.#ids === 1 ? `${this.symbol}/${this.i}` : `${this.symbol}/${this.i}/${this.#ids}`;
  }

  #rounded({ limitPrice, stopPrice, takeProfit, stopLoss }: Wish) {
    const round = (price: number | null) => (price === null ? null : this.toTick(price));
    return {
      limitPrice: round(limitPrice),
      stopPrice: round(stopPrice),
      takeProfit: takeProfit === null ? null : { limitPrice: this.toTick(takeProfit.limitPrice) },
      stopLoss:
        stopLoss === null
          ? null
          : { stopPrice: this.toTick(stopLoss.stopPrice), limitPrice: round(stopLoss.limitPrice) },
    };
  }
}
