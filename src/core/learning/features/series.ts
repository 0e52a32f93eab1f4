import { assert, ensure } from "../../base/assert.js";
import { createColumn } from "../../base/columns.js";
import { computeIndicator, type Indicator, resolveParameters } from "../../indicators/define.js";
import { atr } from "../../indicators/volatility/atr.js";
import { barClose } from "../../market/bar-times.js";
import type { Bars, Candles } from "../../market/candles.js";
import { INTERVAL_MS, type Interval } from "../../market/interval.js";
import { resample } from "../../market/resample.js";
import type { Calendar } from "../../market/session.js";
import { LOOKBACK } from "../../patterns/chart/course.js";
import type { Hit, PatternFamily } from "../../patterns/define.js";
import { PATTERNS } from "../../patterns/index.js";
import { createPatternSeries } from "../../patterns/series.js";
import { hasPriorTrend } from "../../patterns/trend.js";
import { computeRegimes, type RegimeColumns } from "../../regime/regime.js";
import { windowSums } from "../../regime/windows.js";
import { rise, rootMeanSquare } from "./columns.js";

/** Values with the instants by which they were known, epoch ms, ascending. */
export interface KnownValues {
  readonly knownAt: Float64Array;
  readonly value: Float64Array;
  /** How long a value says something, ms; nothing is known after that. */
  readonly keptMs: number;
}

/** What features read beside the bars. */
export interface FeatureContext {
  readonly calendar: Calendar;
  /** Bars of a longer interval; made of the bars where there are none. */
  readonly longer?: Candles;
  /** Sentiment towards the symbol, -1..1. */
  readonly sentiment?: KnownValues;
  /**
   * Edge of a variant over trades without it, as it had been measured by an instant; NaN where too little had. What was
   * measured later must not be told: trades of the time after are in it.
   */
  readonly edgeOf?: (variant: string, atMs: number) => number;
}

/** A confirmed pattern with a direction, in the trend that gives it its meaning. */
export interface DirectedHit {
  readonly hit: Hit;
  readonly family: PatternFamily;
  readonly direction: 1 | -1;
}

/** Longer bars in logarithms, and the index of the newest that had closed by the close of each bar; -1 for none. */
export interface LongerView {
  readonly logs: Bars;
  readonly newest: Int32Array;
}

/** The longer interval that is looked at beside each: 4 to 24 bars of it make one, but for the longest. */
export const LONGER_INTERVALS: Readonly<Record<Interval, Interval | null>> = Object.freeze({
  "1m": "15m",
  "5m": "1h",
  "15m": "1h",
  "30m": "4h",
  "1h": "1d",
  "4h": "1d",
  "1d": "1w",
  "1w": null,
});

/**
 * What features are made of, each computed when first asked for and then kept. All but patterns are measured on the
 * logarithms of prices: they know no scale, and prices turned upside down only change signs.
 */
export class FeatureSeries {
  readonly candles: Candles;
  readonly context: FeatureContext;
  /** First bar that is asked for: what patterns say of bars before it is not known. */
  readonly from: number;
  readonly #kept = new Map<string, unknown>();

  constructor(candles: Candles, context: FeatureContext, from = 0) {
    const { longer } = context;
    assert(
      longer === undefined || INTERVAL_MS[longer.interval] > INTERVAL_MS[candles.interval],
      "longer bars are longer",
    );
    this.candles = candles;
    this.context = context;
    this.from = from;
  }

  /** What `make` gives, made once. */
  kept<Value>(key: string, make: () => Value): Value {
    if (!this.#kept.has(key)) this.#kept.set(key, make());
    return this.#kept.get(key) as Value;
  }

  /** Bars with logarithms of prices over the first close. */
  get logs(): Bars {
    return this.kept("logs", () => logsOf(this.candles));
  }

  /** When each bar is closed, epoch ms. */
  get closes(): Float64Array {
    return this.kept("closes", () => closesOf(this.candles, this.context.calendar));
  }

  /** An output of an indicator over the logarithms. */
  indicator(row: Indicator, given: Readonly<Record<string, number>> = {}, output = 0): Float64Array {
    const columns = this.kept(`${row.name} ${JSON.stringify(given)}`, () => {
      const { values, problem } = resolveParameters(row, given);
      return computeIndicator(row, this.logs, ensure(values, problem ?? row.name));
    });
    return columns[output];
  }

  /** Average true range of 14 bars. */
  get range(): Float64Array {
    return this.indicator(atr);
  }

  /** From each close to the next. */
  get returns(): Float64Array {
    return this.kept("returns", () => rise(this.logs.close, 1));
  }

  /** Root of the mean squared return of 20 bars. */
  get volatility(): Float64Array {
    return this.kept("volatility", () => rootMeanSquare(this.returns, 20));
  }

  /** Summed volume of the last `bars` bars. */
  volumeSum(bars: number): Float64Array {
    return this.kept(`volume ${bars}`, () => windowSums(this.candles.volume, bars));
  }

  get regimes(): RegimeColumns {
    return this.kept("regimes", () => computeRegimes(this.candles));
  }

  /** Every pattern of the table that features of bars from `from` on tell of, by bar and in the order of the table. */
  get hits(): readonly DirectedHit[] {
    return this.kept("hits", () => directedHits(this.candles, Math.max(0, this.from - LOOK_BACK)));
  }

  get longer(): LongerView {
    return this.kept("longer", () => longerView(this.candles, this.context, this.closes));
  }
}

function logsOf({ time, open, high, low, close, volume }: Bars): Bars {
  const { length } = time;
  const first = length === 0 ? 1 : close[0];
  const logs = (column: Float64Array) => {
    const out = createColumn(length);
    for (let i = 0; i < length; i++) out[i] = Math.log(column[i] / first);
    return out;
  };
  return { time, open: logs(open), high: logs(high), low: logs(low), close: logs(close), volume };
}

/** When each bar is closed, epoch ms. */
export function closesOf({ interval, time }: Candles, calendar: Calendar): Float64Array {
  const { length } = time;
  const closes = createColumn(length);
  for (let i = 0; i < length; i++) closes[i] = barClose(calendar, interval, time[i]);
  return closes;
}

/** Bars before its own whose patterns a feature tells of. */
const LOOK_BACK = 10;
const DIRECTED = PATTERNS.filter(({ variants }) => variants.some(({ direction }) => direction !== 0));

function directedHits(candles: Candles, from: number): readonly DirectedHit[] {
  const series = createPatternSeries(candles, Math.max(0, from - LOOKBACK));
  const found: DirectedHit[] = [];
  const hits: Hit[] = [];
  for (const pattern of DIRECTED) {
    hits.length = 0;
    pattern.find(series, from, candles.time.length, hits);
    const { family } = pattern;
    for (const hit of hits) {
      const { direction } = hit.variant;
      if (direction === 0 || hit.state !== "confirmed" || hasPriorTrend(hit, candles) === false) continue;
      found.push({ hit, family, direction });
    }
  }
  return found.sort((a, b) => a.hit.at - b.hit.at);
}

function longerView(
  candles: Candles,
  { calendar, longer }: FeatureContext,
  closes: Float64Array,
): LongerView {
  const given = longer ?? madeOf(candles, calendar);
  const newest = new Int32Array(closes.length).fill(-1);
  if (given === null) return { logs: logsOf(candles), newest };
  const over = closesOf(given, calendar);
  for (let i = 0, next = 0; i < closes.length; i++) {
    while (next < over.length && over[next] <= closes[i]) next++;
    newest[i] = next - 1;
  }
  return { logs: logsOf(given), newest };
}

/** Longer bars from the first one on that is whole; null where there is no longer interval. */
function madeOf(candles: Candles, calendar: Calendar): Candles | null {
  const interval = LONGER_INTERVALS[candles.interval];
  if (interval === null) return null;
  const made = resample(candles, interval, calendar);
  const from = made.time.length > 0 && made.time[0] !== candles.time[0] ? 1 : 0;
  const rest = (column: Float64Array) => column.subarray(from);
  return {
    symbol: made.symbol,
    interval,
    time: rest(made.time),
    open: rest(made.open),
    high: rest(made.high),
    low: rest(made.low),
    close: rest(made.close),
    volume: rest(made.volume),
  };
}
