import { assert } from "../base/assert.js";
import { maintenanceOf, worthOf } from "../execution/account.js";
import type { DoubtPolicy } from "../execution/context.js";
import { createDesk } from "../execution/desk.js";
import type { DeskEvent } from "../execution/events.js";
import { timesMicros } from "../execution/money.js";
import { DAY_MS } from "../market/day.js";
import { computeRange } from "../patterns/pivots.js";
import { createTrades } from "../performance/trades.js";
import type { Strategy } from "../strategies/define.js";
import type { Values } from "../strategies/parameters.js";
import { act, closeNow, isReduction, leave, type Means } from "./act.js";
import { Lane, type Run } from "./lane.js";
import { type Backtest, type Doubt, doubtOf } from "./result.js";
import { type BacktestRules, firstCounted, type Listing, tradedUnit } from "./rules.js";

/** Micros by which a sum may be off where a margin call is looked for. */
const SLACK = 1_000;
const FOREVER = Number.POSITIVE_INFINITY;

type Columns = Pick<Backtest, "time" | "equity" | "exposure">;

/** One run. It is made, run once and thrown away. */
export class Engine {
  readonly #strategy: Strategy;
  readonly #values: Values;
  readonly #run: Run;
  readonly #lanes: readonly Lane[];
  readonly #warmup: number;
  readonly #trades = createTrades();
  readonly #events: DeskEvent[] = [];
  readonly #doubts: Doubt[] = [];
  readonly #isMargin: boolean;
  /** Whether a night costs something. */
  readonly #accrues: boolean;
  /** Open from which something has to be done before a bar: a day ended, a share was split. */
  #wake = Number.NEGATIVE_INFINITY;
  #day = Number.NaN;

  constructor(
    strategy: Strategy,
    listings: readonly Listing[],
    values: Values,
    rules: BacktestRules,
    doubts: DoubtPolicy = "rule",
  ) {
    const { sizing, desk: deskRules } = rules;
    const { account } = deskRules;
    const traded = listings.map((each) => each.traded ?? tradedUnit(each.candles.symbol, sizing));
    const desk = createDesk(deskRules, traded, (event) => this.#take(event), undefined, doubts);
    this.#strategy = strategy;
    this.#values = values;
    this.#warmup = strategy.warmup(values);
    this.#isMargin = account.kind === "margin";
    this.#accrues = [
      account.interestRate,
      ...traded.map((each) => each.borrowRate ?? account.borrowRate),
    ].some((rate) => rate > 0);
    this.#run = { desk, rules, decisions: [], turned: [], reasons: new Map(), equity: 0, now: Number.NaN };
    this.#lanes = listings.map(({ candles, seen = candles, facts, happenings = [] }, k) => {
      assert(seen.time.length === candles.time.length, `${candles.symbol} is seen in other bars`);
      const { slippage } = traded[k].costs ?? deskRules.costs;
      const range = slippage.kind === "volatility" ? computeRange(candles) : null;
      const columns = strategy.declare(seen, values, facts, rules.calendar);
      const lane = new Lane(this.#run, candles, seen, columns, traded[k], happenings, range);
      lane.i = firstCounted(rules, candles.time) - 1;
      return lane;
    });
  }

  /** Without bounds of its own: both are the equity, by whatever policy. */
  run(): Backtest {
    const { desk, rules, decisions, turned, reasons } = this.#run;
    const start = this.#lanes.reduce(
      (least, { bars, i }) => Math.min(least, bars.time[i + 1] ?? least),
      FOREVER,
    );
    if (start < FOREVER) desk.transfer(rules.capital, start);
    this.#run.equity = desk.state.cash;
    const columns = this.#lanes.length === 1 ? this.#walkOne(this.#lanes[0]) : this.#walkAll();
    if (rules.closing === "close") this.#closeAll(columns);
    const end = desk.equity();
    return {
      strategy: this.#strategy.id,
      values: this.#values,
      symbols: this.#lanes.map(({ symbol }) => symbol),
      rules,
      ...columns,
      bounds: { pessimistic: end, equity: end, optimistic: end },
      trades: this.#trades.trades,
      reasons,
      doubts: this.#doubts,
      decisions,
      turned,
      orders: [...desk.state.orders.values()],
      events: this.#events,
    };
  }

  #take(event: DeskEvent): void {
    this.#events.push(event);
    this.#trades.take(event);
    const doubt = doubtOf(event);
    if (doubt !== null) this.#doubts.push(doubt);
    if (event.kind !== "order" || event.event !== "rejected") return;
    const { symbol, orderId, reason } = event;
    const bar = this.#lanes.find((lane) => lane.symbol === symbol)?.i ?? -1;
    this.#run.turned.push({ bar, symbol, orderId, reason });
  }

  /** One symbol. A bar that does nothing to any order is only looked at. */
  #walkOne(lane: Lane): Columns {
    const run = this.#run;
    const strategy = this.#strategy;
    const { state } = run.desk;
    const { zone } = lane;
    const { time, high, low, close } = lane.bars;
    const { length } = time;
    const from = lane.i + 1;
    const equity = new Float64Array(length - from);
    const exposure = new Float64Array(length - from);
    const last = run.rules.closing === "last_open" ? length - 1 : -1;
    const lanes = [lane];
    for (let i = from; i < length; i++) {
      if (time[i] >= this.#wake) this.#wakeUp(lanes, time[i]);
      if (i === last) this.#leave(lane, i);
      else if (lane.intent !== null) this.#open(lane, i);
      const quiet = low[i] > zone.low && high[i] < zone.high;
      lane.i = i;
      if (!quiet) this.#bar(lane, i);
      let value = 0;
      if (lane.held !== 0) {
        value = timesMicros(close[i], lane.held);
        if (quiet && this.#isMargin && this.#mayBeCalled(lane, value)) this.#bar(lane, i);
        exposure[i - from] = Math.abs(value);
      }
      run.equity = state.cash + value;
      equity[i - from] = run.equity;
      if (i < this.#warmup) continue;
      run.now = time[i];
      if (strategy.scope === "symbol") strategy.walk(lane);
      else strategy.rebalance(lanes);
    }
    if (length > from) run.desk.mark(lane.symbol, close[length - 1]);
    return { time: time.subarray(from), equity, exposure };
  }

  /** Several symbols, whose bars of one time are walked together. */
  #walkAll(): Columns {
    const run = this.#run;
    const strategy = this.#strategy;
    const time = mergedTimes(this.#lanes);
    const equity = new Float64Array(time.length);
    const exposure = new Float64Array(time.length);
    for (let k = 0; k < time.length; k++) {
      const due = this.#lanes.filter(({ bars, i }) => bars.time[i + 1] === time[k]);
      if (time[k] >= this.#wake) this.#wakeUp(due, time[k]);
      this.#openAll(due);
      run.equity = run.desk.equity();
      run.now = time[k];
      equity[k] = run.equity;
      exposure[k] = this.#exposure();
      if (strategy.scope === "symbol") {
        for (const lane of due) if (lane.i >= this.#warmup) strategy.walk(lane);
      } else {
        const stands = this.#lanes.filter(({ i }) => i >= this.#warmup);
        if (stands.length > 0) strategy.rebalance(stands);
      }
    }
    return { time, equity, exposure };
  }

  #exposure(): number {
    let sum = 0;
    for (const { bars, i, held } of this.#lanes) {
      if (held !== 0) sum += Math.abs(worthOf(held, bars.close[i]));
    }
    return sum;
  }

  #bar(lane: Lane, i: number): void {
    this.#run.desk.bar(lane.symbol, lane.bars, i, lane.facts(i));
    lane.settle(i);
  }

  #mayBeCalled({ instrument }: Lane, value: number): boolean {
    const { desk, rules } = this.#run;
    return desk.state.cash + value - maintenanceOf(rules.desk.account, instrument, value) < SLACK;
  }

  /** What is intended for one symbol alone, at the open of bar `i`. */
  #open(lane: Lane, i: number): void {
    this.#price(lane, i);
    const { state } = this.#run.desk;
    const equity = state.cash + worthOf(lane.held, lane.mark);
    act(this.#run, lane, i, { equity, free: state.cash - state.reserved }, 1);
    lane.settle(i);
  }

  /** Sets the price by which a symbol is counted before bar `i`. */
  #price(lane: Lane, i: number): void {
    const { desk, rules } = this.#run;
    if (rules.sizing.price === "open") lane.mark = lane.bars.open[i];
    else if (lane.adjustedAt === i) lane.mark = desk.priceOf(lane.symbol);
    else lane.mark = lane.bars.close[i - 1] ?? lane.bars.open[i];
    desk.mark(lane.symbol, lane.mark);
  }

  /** Bars of one time: those that give back money first, for the others to have it. */
  #openAll(due: readonly Lane[]): void {
    const { desk, rules } = this.#run;
    for (const lane of due) this.#price(lane, lane.i + 1);
    const equity = desk.equity();
    const means: Means = { equity, free: desk.state.cash - desk.state.reserved };
    const first = due.filter((lane) => isReduction(lane, equity));
    const rest = due.filter((lane) => !first.includes(lane));
    for (const lane of [...first, ...rest]) {
      const i = lane.i + 1;
      if (rules.closing === "last_open" && i === lane.bars.time.length - 1) this.#leave(lane, i);
      else act(this.#run, lane, i, means, this.#lanes.length);
      lane.i = i;
      this.#bar(lane, i);
    }
  }

  /** Nights, dividends and splits before bars that open at an instant. */
  #wakeUp(due: readonly Lane[], at: number): void {
    const { desk } = this.#run;
    const day = Math.floor(at / DAY_MS);
    for (const { symbol, bars, i } of due) if (i >= 0) desk.mark(symbol, bars.close[i]);
    if (day > this.#day && (this.#accrues || this.#lanes.some((lane) => lane.working().length > 0))) {
      const now = this.#lanes.reduce(
        (most, lane) => (lane.i < 0 ? most : Math.max(most, lane.facts(lane.i).until)),
        0,
      );
      desk.endOfDay({ at: now, nights: day - this.#day });
      for (const lane of this.#lanes) lane.settle(lane.i);
    }
    this.#day = day;
    this.#wake = (day + 1) * DAY_MS;
    for (const lane of due) this.#happen(lane, at);
    for (const { happenings, told } of this.#lanes) {
      if (told < happenings.length) this.#wake = Math.min(this.#wake, happenings[told].at);
    }
  }

  #happen(lane: Lane, at: number): void {
    const { desk } = this.#run;
    const { symbol, happenings } = lane;
    for (; lane.told < happenings.length && happenings[lane.told].at <= at; lane.told++) {
      const happening = happenings[lane.told];
      if (happening.kind === "split") desk.split(symbol, happening.ratio, happening.at);
      else desk.dividend(symbol, happening.amount, happening.at);
      lane.adjustedAt = lane.i + 1;
      lane.settle(lane.i);
    }
  }

  #leave(lane: Lane, i: number): void {
    this.#price(lane, i);
    leave(this.#run, lane, i);
    lane.settle(i);
  }

  #closeAll({ time, equity, exposure }: Columns): void {
    const { desk } = this.#run;
    for (const lane of this.#lanes) closeNow(this.#run, lane);
    const last = time.length - 1;
    if (last < 0) return;
    equity[last] = desk.equity();
    exposure[last] = 0;
  }
}

/** Times at which any of them has a bar that counts, ascending. */
function mergedTimes(lanes: readonly Lane[]): Float64Array {
  const times = new Set(lanes.flatMap(({ bars, i }) => [...bars.time.subarray(i + 1)]));
  return Float64Array.from(times).sort();
}
