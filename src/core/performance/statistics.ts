import { deviationOf, meanOf } from "../base/stats.js";
import { offsetAt, type Zone } from "../market/zone.js";
import { type Causes, causeOf, MANUAL } from "./cause.js";
import { absent, type Figure, figureOf, ratioOf } from "./figure.js";
import { byExit, type ClosedTrade, grouped } from "./trade.js";

/** What closed trades came to. Money in micros, averages not rounded; null where there is nothing to tell of. */
export interface TradeStatistics {
  readonly trades: number;
  /** Trades whose net is above 0, below 0, and 0. */
  readonly wins: number;
  readonly losses: number;
  readonly breakEvens: number;
  /** Wins per trade, 0..1. */
  readonly winRate: number | null;
  readonly net: number;
  readonly gross: number;
  readonly fees: number;
  readonly dividends: number;
  readonly borrow: number;
  /** Sums of the net of wins, and of losses, below 0. */
  readonly won: number;
  readonly lost: number;
  readonly averageWin: number | null;
  /** Below 0. */
  readonly averageLoss: number | null;
  /** Average win per average loss. */
  readonly payoff: number | null;
  /** What was won per what was lost; null without losses, which `noLosses` tells. */
  readonly profitFactor: number | null;
  readonly noLosses: boolean;
  /** Net a trade. */
  readonly expectancy: number | null;
  /** Net of the best and of the worst trade. */
  readonly best: number | null;
  readonly worst: number | null;
  /** The longest runs in the order of exits. */
  readonly longestWins: number;
  readonly longestLosses: number;
  /** Ms from entry to exit. */
  readonly averageHoldingMs: number | null;
  /** Trades on which the path within a bar decided. */
  readonly ambiguous: number;
}

export function statisticsOf(trades: readonly ClosedTrade[]): TradeStatistics {
  const sums = { net: 0, gross: 0, fees: 0, dividends: 0, borrow: 0, won: 0, lost: 0 };
  let [wins, losses, ambiguous, holding] = [0, 0, 0, 0];
  let [best, worst] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const trade of trades) {
    const { net } = trade;
    for (const part of ["net", "gross", "fees", "dividends", "borrow"] as const) sums[part] += trade[part];
    if (net > 0) {
      wins++;
      sums.won += net;
    } else if (net < 0) {
      losses++;
      sums.lost += net;
    }
    best = Math.max(best, net);
    worst = Math.min(worst, net);
    holding += trade.closedAt - trade.openedAt;
    if (trade.ambiguous) ambiguous++;
  }
  const n = trades.length;
  return {
    trades: n,
    wins,
    losses,
    breakEvens: n - wins - losses,
    winRate: per(wins, n),
    ...sums,
    averageWin: per(sums.won, wins),
    averageLoss: per(sums.lost, losses),
    payoff: wins === 0 || losses === 0 ? null : (sums.won * losses) / (-sums.lost * wins),
    ...profitFactorOf(sums.won, sums.lost),
    expectancy: per(sums.net, n),
    best: n === 0 ? null : best,
    worst: n === 0 ? null : worst,
    ...longestRuns(trades),
    averageHoldingMs: per(holding, n),
    ambiguous,
  };
}

function per(value: number, count: number): number | null {
  return count === 0 ? null : value / count;
}

/** @param lost 0 or less. */
export function profitFactorOf(
  won: number,
  lost: number,
): Pick<TradeStatistics, "profitFactor" | "noLosses"> {
  return { profitFactor: lost === 0 ? null : won / -lost, noLosses: lost === 0 };
}

/**
 * Mean per standard deviation of what trades came to, times the root of their number: the system quality number
 * (V. Tharp 2008).
 */
export function systemQuality(results: ArrayLike<number>): Figure {
  if (results.length < 2) return absent("fewer than two trades");
  const scale = Math.sqrt(results.length);
  return ratioOf(scale * meanOf(results), deviationOf(results), "results of trades do not vary");
}

/** Share of the capital that grows it most (J. Kelly 1956): win rate less loss rate per average win over average loss. */
export function kellyShare({ trades, wins, payoff }: TradeStatistics): Figure {
  if (payoff === null) return absent("there are not both wins and losses");
  const rate = wins / trades;
  return figureOf(rate - (1 - rate) / payoff);
}

function longestRuns(trades: readonly ClosedTrade[]): Pick<TradeStatistics, "longestWins" | "longestLosses"> {
  let [wins, losses, longestWins, longestLosses] = [0, 0, 0, 0];
  for (const { net } of byExit(trades)) {
    wins = net > 0 ? wins + 1 : 0;
    losses = net < 0 ? losses + 1 : 0;
    longestWins = Math.max(longestWins, wins);
    longestLosses = Math.max(longestLosses, losses);
  }
  return { longestWins, longestLosses };
}

/** Statistics of trades that have something in common. */
export interface TradeGroup<K extends string | number> {
  readonly key: K;
  readonly statistics: TradeStatistics;
}

/** Statistics by a key, the most trades first and of equal ones by the key. */
export function statisticsBy<K extends string | number>(
  trades: readonly ClosedTrade[],
  keyOf: (trade: ClosedTrade) => K,
): TradeGroup<K>[] {
  return [...grouped(trades, keyOf)]
    .map(([key, group]) => ({ key, statistics: statisticsOf(group) }))
    .sort((a, b) => b.statistics.trades - a.statistics.trades || (a.key < b.key ? -1 : 1));
}

export const symbolKey = ({ symbol }: ClosedTrade): string => symbol;

/** The hour of the entry on the clock of a zone, 0..23. */
export function hourKey(zone: Zone): (trade: ClosedTrade) => number {
  return ({ openedAt }) => {
    const hour = Math.floor((openedAt + offsetAt(zone, openedAt)) / 3_600_000) % 24;
    return hour < 0 ? hour + 24 : hour;
  };
}

/** What caused a trade, `manual` where nothing did. */
export function causeKey(
  causes: Causes,
  part: "pattern" | "strategy" | "model",
): (trade: ClosedTrade) => string {
  return (trade) => causeOf(causes, trade)?.[part] ?? MANUAL;
}
