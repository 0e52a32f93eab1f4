import type { Candles } from "../market/candles.js";
import type { Hit, Pattern } from "../patterns/define.js";
import { createPatternSeries } from "../patterns/series.js";
import { hasPriorTrend } from "../patterns/trend.js";
import { computeRanges } from "./ranges.js";
import { planTrade, type Trade, tradeOutcome } from "./trade.js";

/** A trade that was taken on a pattern. */
export interface PatternTrade extends Trade {
  /** Bar of the pattern, at whose close it was known; the entry is the open of the next one. */
  readonly at: number;
  readonly direction: 1 | -1;
  readonly stop: number;
  readonly target: number;
  /** Gain after costs per price of the entry. */
  readonly gain: number;
}

export interface PatternTrades {
  readonly trades: readonly PatternTrade[];
  /** Confirmed patterns in the trend that gives them their meaning, from the first bar on; below, those without a trade. */
  readonly occurrences: number;
  /** While another trade was open. */
  readonly overlapped: number;
  /** The next open lay beyond stop or target already. */
  readonly voided: number;
  /** The bars end before the trade does. */
  readonly unsettled: number;
  /** Too few bars for a range, or no usable level. */
  readonly unpriced: number;
}

/**
 * Trades on one variant of a pattern by the one policy, one position at a time, on patterns at bars from `from` on.
 * @param costBps in and out together, basis points of the entry.
 */
export function tradePattern(
  candles: Candles,
  pattern: Pattern,
  variantId: string,
  from: number,
  costBps: number,
): PatternTrades {
  const hits: Hit[] = [];
  pattern.find(createPatternSeries(candles), from, candles.time.length, hits);
  const ranges = computeRanges(candles, from);
  const counts = { occurrences: 0, overlapped: 0, voided: 0, unsettled: 0, unpriced: 0 };
  const trades: PatternTrade[] = [];
  let openUntil = -1;
  for (const hit of hits) {
    const { at, variant, state } = hit;
    const { direction } = variant;
    if (variant.id !== variantId || direction === 0 || state !== "confirmed") continue;
    if (hasPriorTrend(hit, candles) === false) continue;
    counts.occurrences++;
    if (at < openUntil) {
      counts.overlapped++;
      continue;
    }
    const plan = planTrade(hit, candles.close[at], ranges[at], costBps);
    if (plan === null) {
      counts.unpriced++;
      continue;
    }
    const { stop, target } = plan;
    const trade = tradeOutcome(candles, plan);
    if (trade === null) counts.unsettled++;
    else if (trade.end === "void") counts.voided++;
    else {
      const gain = (direction * (trade.exit - trade.entry)) / trade.entry - costBps / 10_000;
      trades.push({ ...trade, at, direction, stop, target, gain });
      openUntil = trade.exitAt;
    }
  }
  return { trades, ...counts };
}

export interface TradeSummary {
  /** The whole equity in each trade, gains compounded: as a share of the start. */
  readonly totalReturn: number;
  /** Null for less than a day. */
  readonly annualReturn: number | null;
  /** Greatest fall of the equity from its peak, after trades, 0..1. */
  readonly maxDrawdown: number;
  readonly winRate: number | null;
  readonly meanGain: number | null;
  /** Of the gains, a trade; null with fewer than two. */
  readonly deviation: number | null;
  /** Mean gain per deviation, times the root of the trades a year; null where one is missing. */
  readonly sharpe: number | null;
  readonly best: number | null;
  readonly worst: number | null;
  /** Gains per losses; null without a loss. */
  readonly profitFactor: number | null;
  /** Bars from entry to exit, both counted. */
  readonly meanBars: number | null;
}

const YEAR_MS = 365.25 * 86_400_000;

/** @param spanMs time that the bars span. */
export function summariseTrades(trades: readonly PatternTrade[], spanMs: number): TradeSummary {
  const gains = trades.map(({ gain }) => gain);
  const count = gains.length;
  let equity = 1;
  let peak = 1;
  let maxDrawdown = 0;
  for (const gain of gains) {
    equity *= 1 + gain;
    peak = Math.max(peak, equity);
    maxDrawdown = Math.max(maxDrawdown, 1 - equity / peak);
  }
  const years = spanMs / YEAR_MS;
  const sum = gains.reduce((total, gain) => total + gain, 0);
  const mean = count === 0 ? null : sum / count;
  const deviation =
    mean === null || count < 2
      ? null
      : Math.sqrt(gains.reduce((total, gain) => total + (gain - mean) ** 2, 0) / (count - 1));
  const lost = gains.reduce((total, gain) => total - Math.min(0, gain), 0);
  const won = gains.reduce((total, gain) => total + Math.max(0, gain), 0);
  const bars = trades.reduce((total, { at, exitAt }) => total + exitAt - at, 0);
  const rate = mean === null || deviation === null || deviation === 0 ? null : mean / deviation;
  return {
    totalReturn: equity - 1,
    annualReturn: years * 365.25 < 1 ? null : Math.max(0, equity) ** (1 / years) - 1,
    maxDrawdown,
    winRate: count === 0 ? null : gains.filter((gain) => gain > 0).length / count,
    meanGain: mean,
    deviation,
    sharpe: rate === null || years <= 0 ? null : rate * Math.sqrt(count / years),
    best: count === 0 ? null : Math.max(...gains),
    worst: count === 0 ? null : Math.min(...gains),
    profitFactor: lost === 0 ? null : won / lost,
    meanBars: count === 0 ? null : bars / count,
  };
}
