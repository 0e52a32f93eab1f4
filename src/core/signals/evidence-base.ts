import { drawWord } from "../base/rng.js";
import { lowerBound } from "../base/search.js";
import type { Bars } from "../market/candles.js";
import { COST_CLASSES, costClassOf } from "./cost-class.js";
import { levelsFor, TRADE_POLICY } from "./levels.js";
import { createTradeSlot, isHit, settleTrade, type TradeSlot } from "./trade.js";

/** What came of the policy's own trade without a signal, taken at bars of one class of costs. */
interface Ground {
  /** Bars that a trade could be planned at, ascending. */
  readonly bars: Int32Array;
  /** Trades that ended, by direction (rising, falling): of the first k bars, k from 0. */
  readonly settled: readonly [Int32Array, Int32Array];
  readonly hits: readonly [Int32Array, Int32Array];
}

/** Bars of one regime of a series, or of all. */
interface Field {
  /** Ascending. */
  readonly bars: Int32Array;
  /** By class of costs. */
  readonly grounds: readonly Ground[];
}

/** A trade whose base rate is asked for, in average true ranges of the bar it is taken at. */
export interface BaseTrade {
  readonly at: number;
  readonly direction: 1 | -1;
  readonly stopRanges: number;
  readonly targetRanges: number;
  readonly horizon: number;
  /** Names the draws. */
  readonly place: number;
}

/**
 * Hit rates of the same trade without a signal, where costs are of the same class. `regime` -1 means bars of any regime;
 * NaN where too few bars tell.
 */
export interface BaseRates {
  /** Over the whole series. */
  whole(trade: BaseTrade, regime: number): number;
  /** Over trades that had ended at the close of the trade's bar: what could be known then. */
  before(trade: BaseTrade, regime: number): number;
}

/** Trades that are drawn for one with levels or a horizon of its own, and bars that are drawn for them at most. */
const DRAWS = 8;
const MOST_DRAWS = 256;
/** Trades behind a rate. */
const LEAST_TRADES = 30;
const UNSETTLED = 0;
const VOID = 1;
const MISS = 2;
const HIT = 3;

/**
 * The trade of the policy's own distances is taken at every bar, any other at eight bars drawn by a seed: bars where
 * costs take a share of the way to the target that is of the class of the trade's.
 * @param ranges average true range by bar, NaN while unknown. @param regimes label by bar, -1 unknown.
 */
export function createBaseRates(
  bars: Bars,
  ranges: Float64Array,
  regimes: Int8Array,
  settings: { readonly regimeCount: number; readonly costBps: number; readonly seed: number },
): BaseRates {
  const { regimeCount, costBps, seed } = settings;
  const outcomes = [1, -1].map((direction) => policyOutcomes(bars, ranges, direction as 1 | -1, costBps));
  const costs = ranges.map((range, at) => (bars.close[at] * costBps) / 10_000 / range);
  const classAt = (at: number, targetRanges: number) => costClassOf(costs[at] / targetRanges);
  const fields = Array.from({ length: regimeCount + 1 }, (_, i) => {
    const holds = (at: number) => !Number.isNaN(ranges[at]) && (i === 0 || regimes[at] === i - 1);
    const kept = barsThat(bars.time.length, holds);
    const grounds = COST_CLASSES.map((_, index) =>
      createGround(
        outcomes,
        kept.filter((at) => classAt(at, TRADE_POLICY.targetRanges) === index),
      ),
    );
    return { bars: kept, grounds };
  });
  const slot = createTradeSlot();
  const { horizonBars } = TRADE_POLICY;
  const isPolicy = ({ stopRanges, targetRanges, horizon }: BaseTrade) =>
    horizon === horizonBars &&
    stopRanges === TRADE_POLICY.stopRanges &&
    targetRanges === TRADE_POLICY.targetRanges;

  /** Over the bars of a field that come before another. */
  function rate(trade: BaseTrade, field: Field, end: number): number {
    const costClass = classAt(trade.at, trade.targetRanges);
    if (!isPolicy(trade)) return drawnRate(trade, costClass, field.bars, lowerBound(field.bars, end));
    const ground = field.grounds[costClass];
    const count = lowerBound(ground.bars, end);
    const side = trade.direction > 0 ? 0 : 1;
    const settled = ground.settled[side][count];
    return settled < LEAST_TRADES ? Number.NaN : ground.hits[side][count] / settled;
  }

  function drawnRate(trade: BaseTrade, costClass: number, from: Int32Array, count: number): number {
    if (count < LEAST_TRADES) return Number.NaN;
    let settled = 0;
    let hits = 0;
    for (let draw = 0; draw < MOST_DRAWS && settled < DRAWS; draw++) {
      const at = from[drawWord(seed, trade.place, draw) % count];
      if (classAt(at, trade.targetRanges) !== costClass) continue;
      const outcome = outcomeOf(bars, ranges[at], { ...trade, at }, costBps, slot);
      if (outcome >= MISS) settled++;
      if (outcome === HIT) hits++;
    }
    return settled === 0 ? Number.NaN : hits / settled;
  }

  return {
    whole: (trade, regime) => rate(trade, fields[regime + 1], bars.time.length),
    before: (trade, regime) => rate(trade, fields[regime + 1], trade.at - trade.horizon + 1),
  };
}

function outcomeOf(
  bars: Bars,
  range: number,
  { at, direction, stopRanges, targetRanges, horizon }: Omit<BaseTrade, "place">,
  costBps: number,
  slot: TradeSlot,
): number {
  const close = bars.close[at];
  const stop = close - direction * stopRanges * range;
  const target = close + direction * targetRanges * range;
  if (stop <= 0 || target <= 0) return UNSETTLED;
  if (!settleTrade(bars, { at, direction, stop, target, horizon, costBps }, slot)) return UNSETTLED;
  return slot.end === "void" ? VOID : isHit(slot) ? HIT : MISS;
}

/** What came of the policy's own trade at every bar. */
function policyOutcomes(bars: Bars, ranges: Float64Array, direction: 1 | -1, costBps: number): Uint8Array {
  const { horizonBars: horizon } = TRADE_POLICY;
  const { length } = bars.time;
  const outcomes = new Uint8Array(length);
  const slot = createTradeSlot();
  for (let at = 0; at < length; at++) {
    const levels = levelsFor(direction, bars.close[at], ranges[at]);
    if (levels === null) continue;
    const { stop, target } = levels;
    if (!settleTrade(bars, { at, direction, stop, target, horizon, costBps }, slot)) continue;
    outcomes[at] = slot.end === "void" ? VOID : isHit(slot) ? HIT : MISS;
  }
  return outcomes;
}

function barsThat(length: number, holds: (at: number) => boolean): Int32Array {
  const kept = new Int32Array(length);
  let count = 0;
  for (let at = 0; at < length; at++) if (holds(at)) kept[count++] = at;
  return kept.slice(0, count);
}

function createGround([rising, falling]: readonly Uint8Array[], bars: Int32Array): Ground {
  const sum = (outcomes: Uint8Array, least: number) => {
    const sums = new Int32Array(bars.length + 1);
    for (let k = 0; k < bars.length; k++) sums[k + 1] = sums[k] + (outcomes[bars[k]] >= least ? 1 : 0);
    return sums;
  };
  return {
    bars,
    settled: [sum(rising, MISS), sum(falling, MISS)],
    hits: [sum(rising, HIT), sum(falling, HIT)],
  };
}
