import { type Asked, runBrief } from "../../core/backtest/brief.js";
import type { BarRange } from "../../core/backtest/folds.js";
import { firstCounted } from "../../core/backtest/rules.js";
import { daysOfTrack, type TrackDays } from "../../core/backtest/track.js";
import { ensure } from "../../core/base/assert.js";
import { lowerBound } from "../../core/base/search.js";
import { keepColumns } from "../../core/strategies/columns.js";
import type { Strategy } from "../../core/strategies/define.js";
import { findStrategy } from "../../core/strategies/index.js";
import type { Values } from "../../core/strategies/parameters.js";
import type { RunSeries } from "./listings.js";
import { dayOf, type RunTerms } from "./terms.js";
import { type TrialFound, trialOf, trialOfDays } from "./trial.js";
import { type Windowed, windowed } from "./window.js";

export interface TrialsOrder extends RunSeries {
  /** What names the sweep: all tasks that have it have the same bars, facts and terms. */
  readonly sweep: string;
  readonly strategyId: string;
  readonly points: readonly Values[];
  readonly terms: RunTerms;
  /** Bars of the first symbol in which it may trade, whose returns count; null for all. Those after are cut off. */
  readonly window: BarRange | null;
  /** Whether columns by bar are wanted, too. */
  readonly byBar: boolean;
}

/** A trial, with columns by bar where they were asked for; empty otherwise. */
export interface TrialOfPoint extends TrialFound {
  /** Trades that were open at the end. */
  readonly open: number;
  /** Returns. */
  readonly bars: Float64Array;
  /** Whether it needed a desk, which takes several times as long. */
  readonly onDesk: boolean;
}

/** What tasks of one sweep have in common, and the columns that their values have been tried on. */
interface Ground extends Windowed {
  readonly sweep: string;
  /** Of the first symbol's bars that count, those whose returns do, and the days in which they lie. */
  readonly first: number;
  readonly days: TrackDays;
  readonly room: Float64Array;
}

/** How long a ground is kept that nobody asks for. */
const KEPT_MS = 2_000;
let kept: Ground | null = null;
const forget = setTimeout(() => {
  kept = null;
}, KEPT_MS).unref();

function groundOf(order: TrialsOrder): Ground {
  const sweep = `${order.sweep} ${order.window?.from}-${order.window?.to}`;
  forget.refresh();
  if (kept?.sweep === sweep) return kept;
  const found = windowed(order);
  const { listings, rules, fromMs } = found;
  for (const { candles } of listings) keepColumns(candles);
  const time = listings[0].candles.time.subarray(firstCounted(rules, listings[0].candles.time));
  const first = lowerBound(time, fromMs);
  const days = daysOfTrack(time.subarray(first), dayOf(order.terms));
  // New memory for each point would take longer than to walk its bars.
  kept = { ...found, sweep, first, days, room: new Float64Array(time.length) };
  return kept;
}

/** Tries values of a strategy, one after another, in a thread. */
export default function tryPoints(order: TrialsOrder): TrialOfPoint[] {
  const strategy = ensure(findStrategy(order.strategyId), "the order names a strategy");
  const ground = groundOf(order);
  // By days, the equity of their last bars is enough.
  const byDay = ground.listings.length === 1 && !order.byBar;
  const { room, days, first } = ground;
  const asked = byDay ? { room, bars: days.last.map((bar) => bar + first) } : { room };
  return order.points.map((values) => tryPoint(order, strategy, values, ground, asked));
}

function tryPoint(
  { terms, byBar }: TrialsOrder,
  strategy: Strategy,
  values: Values,
  { listings, rules, fromMs, days }: Ground,
  asked: Asked,
): TrialOfPoint {
  const brief = runBrief(strategy, listings, values, rules, asked);
  const { time, equity, trades } = brief;
  const closed = trades.exitBar.reduce((count, bar) => count + Number(bar >= 0), 0);
  const rest = { open: trades.exitBar.length - closed, onDesk: brief.desk !== null };
  const none = new Float64Array(0);
  if (asked.bars !== undefined)
    return { bars: none, ...rest, ...trialOfDays(days.day, equity, terms, closed) };
  const first = lowerBound(time, fromMs);
  const levels = equity.subarray(first);
  const trial = { bars: none, ...rest, ...trialOf(time.subarray(first), levels, terms, closed) };
  if (!byBar) return trial;
  const capital = terms.capital * 1e6;
  return { ...trial, bars: levels.map((level, i) => level / (i === 0 ? capital : levels[i - 1]) - 1) };
}
