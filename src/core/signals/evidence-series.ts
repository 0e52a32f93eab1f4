import { drawWord, hash32 } from "../base/rng.js";
import { upperBound } from "../base/search.js";
import { barClose } from "../market/bar-times.js";
import type { CalendarId } from "../market/calendar.js";
import { type Candles, sliceCandles } from "../market/candles.js";
import { calendarOf } from "../market/session.js";
import type { Hit, Pattern } from "../patterns/define.js";
import { createPatternSeries } from "../patterns/series.js";
import { hasPriorTrend } from "../patterns/trend.js";
import { costShare } from "./cost-class.js";
import { type BaseRates, createBaseRates } from "./evidence-base.js";
import { TRADE_POLICY } from "./levels.js";
import { computeRanges } from "./ranges.js";
import { createTradeSlot, isHit, planTrade, settleTrade } from "./trade.js";

/** A series to be measured. */
export interface EvidenceSeries {
  readonly candles: Candles;
  readonly calendar: CalendarId;
  /** In and out together, basis points. */
  readonly costBps: number;
  /** Index of the regime at each bar, known at its close; -1 where it is not. */
  readonly regimes: Int8Array;
  /** Opens of bars whose patterns were seen while they happened, by variant; none for history alone. */
  readonly seenLive?: ReadonlyMap<string, ReadonlySet<number>>;
}

export interface EvidenceSettings {
  readonly patterns: readonly Pattern[];
  /** Names of the regimes that labels point at. */
  readonly regimes: readonly string[];
  readonly seed: number;
  /** Bars that close after this are not looked at, epoch ms. */
  readonly asOfMs: number;
}

export const OUTCOMES = { unsettled: 0, void: 1, miss: 2, hit: 3, undirected: 4 } as const;

/**
 * Occurrences of patterns in a series and what came of the trade on each, as columns of one length, by pattern and bar.
 * Times in epoch ms, rates 0..1 and NaN where too few bars tell.
 */
export interface Occurrences {
  readonly symbol: string;
  readonly interval: Candles["interval"];
  readonly bars: number;
  /** Close of the first and newest bar that was looked at; NaN without bars. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Index in the list of variants, `variantsOf`. */
  readonly variant: Uint16Array;
  readonly regime: Int8Array;
  readonly outcome: Uint8Array;
  /** 1 where it was seen while it happened. */
  readonly live: Uint8Array;
  /** Close of its bar, and of the bar that settled the trade; NaN while it is not. */
  readonly knownAt: Float64Array;
  readonly settledAt: Float64Array;
  readonly r: Float64Array;
  /** Base rate over the series where costs are of the class of the trade's, and over what had ended by `knownAt`. */
  readonly base: Float64Array;
  readonly baseBefore: Float64Array;
  /** Over bars of the regime at the pattern; over all bars where there are too few of it. */
  readonly regimeBase: Float64Array;
  readonly regimeBefore: Float64Array;
  /** What the costs take of the way from the close to the target, 1 where they take all of it. */
  readonly costShare: Float64Array;
}

/** Every variant of the patterns, by the index that occurrences name it with. */
export function variantsOf(patterns: readonly Pattern[]) {
  return patterns.flatMap((pattern) => pattern.variants.map((variant) => ({ pattern, variant })));
}

const RATES = [
  "knownAt",
  "settledAt",
  "r",
  "base",
  "baseBefore",
  "regimeBase",
  "regimeBefore",
  "costShare",
] as const;
/** Columns of `Occurrences` with the width of their values. */
export const OCCURRENCE_COLUMNS = ["variant", "regime", "outcome", "live", ...RATES] as const;

/**
 * Finds the confirmed patterns of a series whose prior trend, where one is asked for, is the one that gives them their
 * meaning, and settles the trade on each by the one policy.
 */
export function measureSeries(series: EvidenceSeries, settings: EvidenceSettings): Occurrences {
  const known = cut(series, settings.asOfMs);
  const { candles, closes, regimes } = known;
  const ranges = computeRanges(candles);
  const seed = drawWord(settings.seed, hash32(candles.symbol), hash32(candles.interval));
  const rates = createBaseRates(candles, ranges, regimes, {
    regimeCount: settings.regimes.length,
    costBps: series.costBps,
    seed,
  });
  const rows = createRows();
  const patternSeries = createPatternSeries(candles);
  const measure = createMeasure({ ...known, ranges, rates, costBps: series.costBps }, rows);
  const hits: Hit[] = [];
  let index = 0;
  for (const pattern of settings.patterns) {
    hits.length = 0;
    pattern.find(patternSeries, 0, candles.time.length, hits);
    const indexes = new Map(pattern.variants.map(({ id }, i) => [id, index + i]));
    const seen = new Map(pattern.variants.map(({ id }) => [id, series.seenLive?.get(id)]));
    for (const hit of hits) {
      if (hit.state !== "confirmed" || hasPriorTrend(hit, candles) === false) continue;
      const live = seen.get(hit.variant.id)?.has(candles.time[hit.at]) === true;
      measure(hit, indexes.get(hit.variant.id) ?? index, live);
    }
    index += pattern.variants.length;
  }
  const { length } = closes;
  const fromMs = length === 0 ? Number.NaN : closes[0];
  const untilMs = length === 0 ? Number.NaN : closes[length - 1];
  const { symbol, interval } = candles;
  return { symbol, interval, bars: length, fromMs, untilMs, ...rows.columns() };
}

/** The bars of a series that were closed at a moment, and their closes. */
function cut({ candles, calendar: id, regimes }: EvidenceSeries, asOfMs: number) {
  const calendar = calendarOf(id);
  const { interval, time } = candles;
  const closes = Float64Array.from(time, (open) => barClose(calendar, interval, open));
  const count = upperBound(closes, asOfMs);
  return {
    candles: count === time.length ? candles : sliceCandles(candles, 0, count),
    closes: closes.subarray(0, count),
    regimes: regimes.subarray(0, count),
  };
}

interface MeasureParts {
  readonly candles: Candles;
  readonly closes: Float64Array;
  readonly regimes: Int8Array;
  readonly ranges: Float64Array;
  readonly rates: BaseRates;
  readonly costBps: number;
}

/** Settles the trade on a hit and notes it; not where there is no range, no usable level or too short a series. */
function createMeasure({ candles, closes, regimes, ranges, rates, costBps }: MeasureParts, rows: Rows) {
  const slot = createTradeSlot();
  return (hit: Hit, variant: number, live: boolean): void => {
    const { at } = hit;
    const regime = regimes[at];
    const row = { variant, regime, live, knownAt: closes[at] };
    if (hit.variant.direction === 0) {
      rows.add({ ...row, outcome: OUTCOMES.undirected }, NOTHING);
      return;
    }
    const range = ranges[at];
    const close = candles.close[at];
    const plan = planTrade(hit, close, range, costBps);
    if (plan === null) return;
    const { direction, stop, target, horizon } = plan;
    const settled = settleTrade(candles, plan, slot);
    const outcome = !settled
      ? OUTCOMES.unsettled
      : slot.end === "void"
        ? OUTCOMES.void
        : isHit(slot)
          ? OUTCOMES.hit
          : OUTCOMES.miss;
    const ofRange = plan.basis === "range";
    const trade = {
      at,
      direction,
      stopRanges: ofRange ? TRADE_POLICY.stopRanges : (direction * (close - stop)) / range,
      targetRanges: ofRange ? TRADE_POLICY.targetRanges : (direction * (target - close)) / range,
      horizon,
      place: at * 4_096 + variant,
    };
    const settledAt = settled ? closes[slot.exitAt] : Number.NaN;
    const r = settled ? slot.r : Number.NaN;
    const base = rates.whole(trade, -1);
    if (Number.isNaN(base)) return;
    const baseBefore = rates.before(trade, -1);
    const regimeBase = known(regime < 0 ? Number.NaN : rates.whole(trade, regime), base);
    const regimeBefore = known(regime < 0 ? Number.NaN : rates.before(trade, regime), baseBefore);
    const share = costShare(close, target, costBps);
    rows.add(
      { ...row, outcome },
      { settledAt, r, base, baseBefore, regimeBase, regimeBefore, costShare: share },
    );
  };
}

const known = (rate: number, otherwise: number) => (Number.isNaN(rate) ? otherwise : rate);

const NOTHING = {
  settledAt: Number.NaN,
  r: Number.NaN,
  base: Number.NaN,
  baseBefore: Number.NaN,
  regimeBase: Number.NaN,
  regimeBefore: Number.NaN,
  costShare: Number.NaN,
};

interface RowHead {
  readonly variant: number;
  readonly regime: number;
  readonly live: boolean;
  readonly knownAt: number;
  readonly outcome: number;
}

type Rows = ReturnType<typeof createRows>;

/** Columns that grow. */
function createRows() {
  let capacity = 1_024;
  let length = 0;
  let variant = new Uint16Array(capacity);
  let regime = new Int8Array(capacity);
  let outcome = new Uint8Array(capacity);
  let live = new Uint8Array(capacity);
  const rates = RATES.map(() => new Float64Array(capacity));

  function grow(): void {
    capacity *= 2;
    const wider = <C extends { set(from: C): void }>(to: C, from: C): C => {
      to.set(from);
      return to;
    };
    variant = wider(new Uint16Array(capacity), variant);
    regime = wider(new Int8Array(capacity), regime);
    outcome = wider(new Uint8Array(capacity), outcome);
    live = wider(new Uint8Array(capacity), live);
    for (const [i, column] of rates.entries()) rates[i] = wider(new Float64Array(capacity), column);
  }

  return {
    add(head: RowHead, values: typeof NOTHING): void {
      if (length === capacity) grow();
      variant[length] = head.variant;
      regime[length] = head.regime;
      outcome[length] = head.outcome;
      live[length] = head.live ? 1 : 0;
      rates[0][length] = head.knownAt;
      rates[1][length] = values.settledAt;
      rates[2][length] = values.r;
      rates[3][length] = values.base;
      rates[4][length] = values.baseBefore;
      rates[5][length] = values.regimeBase;
      rates[6][length] = values.regimeBefore;
      rates[7][length] = values.costShare;
      length++;
    },
    columns() {
      const [knownAt, settledAt, r, base, baseBefore, regimeBase, regimeBefore, costShare] = rates.map(
        (column) => column.slice(0, length),
      );
      return {
        variant: variant.slice(0, length),
        regime: regime.slice(0, length),
        outcome: outcome.slice(0, length),
        live: live.slice(0, length),
        ...{ knownAt, settledAt, r, base, baseBefore, regimeBase, regimeBefore, costShare },
      };
    },
  };
}
