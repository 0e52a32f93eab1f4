import { deviationOf, meanOf } from "../base/stats.js";
import { dateOf } from "../market/day.js";
import { type Calendar, tradingDay } from "../market/session.js";
import { type Causes, causeOf, MANUAL } from "./cause.js";
import { absent, type Figure, figureOf, ratioOf } from "./figure.js";
import { profitFactorOf } from "./statistics.js";
import { byExit, type ClosedTrade, grouped, returnOf } from "./trade.js";

/** Trades of a day below which a Sharpe ratio says nothing. */
export const LEAST_SHARPE_TRADES = 10;

/** Kinds of fees that a broker takes; all others go to exchanges and to the state. */
const BROKERAGE: readonly string[] = ["brokerage", "commission"];

/** What the trades that were closed on one date came to. Money in micros, averages not rounded. */
export interface DailyRollup {
  /** `YYYY-MM-DD` of the exchanges. */
  readonly date: string;
  readonly trades: number;
  readonly wins: number;
  readonly losses: number;
  readonly breakEvens: number;
  /** In percent. */
  readonly winRatePct: number;
  readonly gross: number;
  /** Fees of the broker; and those of exchanges and of the state. */
  readonly brokerage: number;
  readonly taxes: number;
  /** Dividends less what was paid for borrowing. */
  readonly carry: number;
  /** `gross - brokerage - taxes + carry`. */
  readonly net: number;
  /** By net; null without losses, which `noLosses` tells. */
  readonly profitFactor: number | null;
  readonly noLosses: boolean;
  readonly averageNet: number;
  /** Null without a win, and without a loss; the latter below 0. */
  readonly averageWin: number | null;
  readonly averageLoss: number | null;
  readonly averageHoldMinutes: number;
  /** Deepest fall of the net summed in the order of exits below its highest, which is 0 at first. */
  readonly maxDrawdown: number;
  /** The same per what the account had at that peak, in percent. */
  readonly maxDrawdownPct: Figure;
  /** Mean return of a trade per standard deviation, of the day alone and not of a year. */
  readonly sharpe: Figure;
}

/**
 * The trading day of an instant on the exchange of a symbol, in days since 1970-01-01; for null, of what is of no symbol,
 * that of the account.
 */
export type TradingDayOf = (symbol: string | null, at: number) => number;

export function tradingDaysBy(calendarOf: (symbol: string | null) => Calendar): TradingDayOf {
  return (symbol, at) => tradingDay(calendarOf(symbol), at);
}

/** A signal of a strategy, taken or not. */
export interface StrategySignal {
  readonly strategy: string;
  /** Of its exchange. */
  readonly day: number;
  /** 0..1 */
  readonly strength: number;
}

/** What one strategy did on one date. Money in micros. */
export interface StrategyRollup {
  readonly date: string;
  readonly strategy: string;
  /** Null where signals are not known. */
  readonly signalsGenerated: number | null;
  /** Trades that were closed. */
  readonly tradesTaken: number;
  readonly wins: number;
  /** In percent; null without a trade, as the average is. */
  readonly winRatePct: number | null;
  readonly totalNet: number;
  readonly averageNet: number | null;
  /** Null without a signal. */
  readonly averageStrength: number | null;
}

/**
 * One row for each date on which a trade was closed, by exits of the trading day of each trade's own exchange, in order.
 * The same trades give the same rows; dates without an exit have none.
 * @param equityBefore what the account had before a date, micros; null where it is not known.
 */
export function dailyRollups(
  trades: readonly ClosedTrade[],
  dayOf: TradingDayOf,
  equityBefore: (date: string) => number | null,
): DailyRollup[] {
  const days = grouped(byExit(trades), ({ symbol, closedAt }) => dayOf(symbol, closedAt));
  const inOrder = [...days].sort(([a], [b]) => a - b);
  return inOrder.map(([day, ofDay]) => {
    const date = dateOf(day);
    return { date, ...dayFigures(ofDay, equityBefore(date)) };
  });
}

function dayFigures(trades: readonly ClosedTrade[], equity: number | null): Omit<DailyRollup, "date"> {
  const n = trades.length;
  const won = trades.filter(({ net }) => net > 0);
  const lost = trades.filter(({ net }) => net < 0);
  const sum = (list: readonly ClosedTrade[], of: (trade: ClosedTrade) => number) =>
    list.reduce((total, trade) => total + of(trade), 0);
  const [wonNet, lostNet] = [sum(won, ({ net }) => net), sum(lost, ({ net }) => net)];
  const fees = sum(trades, (trade) => trade.fees);
  const brokerage = sum(trades, ({ feesByKind }) =>
    BROKERAGE.reduce((total, kind) => total + (feesByKind[kind] ?? 0), 0),
  );
  const net = sum(trades, (trade) => trade.net);
  return {
    trades: n,
    wins: won.length,
    losses: lost.length,
    breakEvens: n - won.length - lost.length,
    winRatePct: (100 * won.length) / n,
    gross: sum(trades, ({ gross }) => gross),
    brokerage,
    taxes: fees - brokerage,
    carry: sum(trades, ({ dividends, borrow }) => dividends - borrow),
    net,
    ...profitFactorOf(wonNet, lostNet),
    averageNet: net / n,
    averageWin: won.length === 0 ? null : wonNet / won.length,
    averageLoss: lost.length === 0 ? null : lostNet / lost.length,
    averageHoldMinutes: sum(trades, ({ closedAt, openedAt }) => closedAt - openedAt) / n / 60_000,
    ...drawdownOf(trades, equity),
    sharpe: sharpeOf(trades),
  };
}

function drawdownOf(
  trades: readonly ClosedTrade[],
  equity: number | null,
): Pick<DailyRollup, "maxDrawdown" | "maxDrawdownPct"> {
  let [level, peak, deepest, share] = [0, 0, 0, 0];
  for (const { net } of trades) {
    level += net;
    peak = Math.max(peak, level);
    deepest = Math.max(deepest, peak - level);
    if (equity !== null) share = Math.max(share, (peak - level) / (equity + peak));
  }
  const known = equity !== null && equity > 0;
  return {
    maxDrawdown: deepest,
    maxDrawdownPct: known ? figureOf(100 * share) : absent("the equity before the day is not known"),
  };
}

function sharpeOf(trades: readonly ClosedTrade[]): Figure {
  const returns = trades.flatMap((trade) => returnOf(trade) ?? []);
  if (returns.length < LEAST_SHARPE_TRADES) return absent(`fewer than ${LEAST_SHARPE_TRADES} trades`);
  return ratioOf(meanOf(returns), deviationOf(returns), "returns do not vary");
}

/**
 * One row for each date and strategy with an exit or a signal, by date and strategy. Trades without a strategy are
 * under `manual`. @param signals null where they are not known.
 */
export function strategyRollups(
  trades: readonly ClosedTrade[],
  causes: Causes,
  signals: readonly StrategySignal[] | null,
  dayOf: TradingDayOf,
): StrategyRollup[] {
  const rows = new Map<string, StrategyCount>();
  const rowOf = (day: number, strategy: string) => {
    const key = `${day} ${strategy}`;
    const known = rows.get(key);
    if (known !== undefined) return known;
    const row: StrategyCount = { day, strategy, trades: 0, wins: 0, net: 0, signals: 0, strength: 0 };
    rows.set(key, row);
    return row;
  };
  for (const trade of trades) {
    const row = rowOf(dayOf(trade.symbol, trade.closedAt), causeOf(causes, trade)?.strategy ?? MANUAL);
    row.trades++;
    if (trade.net > 0) row.wins++;
    row.net += trade.net;
  }
  for (const { day, strategy, strength } of signals ?? []) {
    const row = rowOf(day, strategy);
    row.signals++;
    row.strength += strength;
  }
  return [...rows.values()]
    .sort((a, b) => a.day - b.day || (a.strategy < b.strategy ? -1 : 1))
    .map((row) => strategyRow(row, signals !== null));
}

interface StrategyCount {
  readonly day: number;
  readonly strategy: string;
  trades: number;
  wins: number;
  net: number;
  signals: number;
  strength: number;
}

function strategyRow(row: StrategyCount, told: boolean): StrategyRollup {
  const { day, strategy, trades, wins, net, signals, strength } = row;
  return {
    date: dateOf(day),
    strategy,
    signalsGenerated: told ? signals : null,
    tradesTaken: trades,
    wins,
    winRatePct: trades === 0 ? null : (100 * wins) / trades,
    totalNet: net,
    averageNet: trades === 0 ? null : net / trades,
    averageStrength: signals === 0 ? null : strength / signals,
  };
}
