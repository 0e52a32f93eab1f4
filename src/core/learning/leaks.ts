import { createRng, drawSpread } from "../base/rng.js";
import { upperBound } from "../base/search.js";
import { type Candles, sliceCandles } from "../market/candles.js";
import type { Calendar } from "../market/session.js";
import { computeRanges } from "../signals/ranges.js";
import type { Feature } from "./features/define.js";
import { columnsOf, computeFeatures, FEATURE_WARMUP, FEATURES, turnedBy } from "./features/index.js";
import { closesOf, type FeatureContext, FeatureSeries } from "./features/series.js";
import { type LabelPolicy, labelPlan } from "./label.js";
import { type LabelledSamples, occasionsOf, planOf, rowOf, type SampleTerms } from "./samples.js";

/** A value that comes out otherwise once the bars after it are cut off. */
export interface Peek {
  readonly feature: string;
  /** Bars that were left, and the bar whose value differs. */
  readonly cut: number;
  readonly bar: number;
  readonly whole: number;
  readonly prefix: number;
}

/**
 * Looks for features that read bars after their own: they are computed again over bars that end at one place and another,
 * and must give the same to the last bit. @returns the first difference that was found, or null.
 * None that was found is no proof; as many cuts as there are bars is one, for these bars.
 */
export function findPeek(
  candles: Candles,
  context: FeatureContext,
  features: readonly Feature[] = FEATURES,
  { cuts = 20, seed = 1 }: { readonly cuts?: number; readonly seed?: number } = {},
): Peek | null {
  const { length } = candles.time;
  const whole = computeFeatures(copyOf(candles, length), context, features).columns;
  for (const place of drawSpread(length, cuts, createRng(seed))) {
    const cut = place + 1;
    const prefix = computeFeatures(copyOf(candles, cut), context, features).columns;
    for (const [k, { id }] of features.entries()) {
      for (let bar = 0; bar < cut; bar++) {
        if (Object.is(prefix[k][bar], whole[k][bar])) continue;
        return { feature: id, cut, bar, whole: whole[k][bar], prefix: prefix[k][bar] };
      }
    }
  }
  return null;
}

/** A value of a row that the bars up to its decision do not give; the whole row where they give no such decision. */
export interface PeekingRow {
  readonly row: number;
  /** Column of it, or what became of the decision. */
  readonly column: string;
  readonly learned: number;
  readonly told: number;
}

/**
 * Looks for rows that know more than the bars up to their decision: the series is cut off after the bars of some decisions,
 * those of the newest among them, and every row up to the cut is made again from what is left. All columns, those of the
 * trade itself too, must come out to the last bit. A column that was taken from elsewhere is found by any cut; code that
 * reads ahead is found at the rows that lie at a cut, for what comes after others is still there.
 * @param labelled rows of this series alone, as they are learned from. @param terms as they were made, by the usual first bar.
 * @param cuts beside that after the newest row. @returns the first row that differs, by its columns that do; none where
 * nothing was found.
 */
export function findPeekingRow(
  { samples, facts }: LabelledSamples,
  candles: Candles,
  context: FeatureContext,
  terms: Pick<SampleTerms, "costBps" | "patterns">,
  { cuts = 3, seed = 1 }: { readonly cuts?: number; readonly seed?: number } = {},
): PeekingRow[] {
  const { length } = facts;
  if (length === 0) return [];
  const places = new Set([length - 1, ...drawSpread(length, cuts, createRng(seed))]);
  for (const place of [...places].sort((a, b) => a - b)) {
    const bars = facts[place].at + 1;
    const again = rowsAgain(copyOf(candles, bars), context, terms);
    for (let row = 0; row < length && facts[row].at < bars; row++) {
      const { at, plan } = facts[row];
      const told = again.get(keyOf(at, plan.direction));
      if (told === undefined) return [{ row, column: "the decision itself", learned: 1, told: Number.NaN }];
      const differing = samples.names.flatMap((column, k) => {
        const learned = samples.columns[k][row];
        return Object.is(learned, told[k]) ? [] : [{ row, column, learned, told: told[k] }];
      });
      if (differing.length > 0) return differing;
    }
  }
  return [];
}

const keyOf = (at: number, direction: 1 | -1) => 2 * at + Number(direction > 0);

/** Rows of all occasions on bars, by bar and direction. */
function rowsAgain(
  bars: Candles,
  context: FeatureContext,
  { costBps, patterns }: Pick<SampleTerms, "costBps" | "patterns">,
): ReadonlyMap<number, Float64Array> {
  const series = new FeatureSeries(bars, context);
  const features = columnsOf(series);
  const turned = turnedBy(features.features);
  const ranges = computeRanges(bars, Math.min(FEATURE_WARMUP, bars.time.length));
  return new Map(
    occasionsOf(series, FEATURE_WARMUP, patterns).flatMap((occasion) => {
      const plan = planOf(series, occasion, ranges[occasion.at], costBps);
      if (plan === null) return [];
      return [[keyOf(occasion.at, occasion.direction), rowOf(series, features, occasion, plan, turned)]];
    }),
  );
}

/** A copy of the first bars: nothing lies behind them that could be read. */
function copyOf(candles: Candles, length: number): Candles {
  const { time, open, high, low, close, volume } = sliceCandles(candles, 0, length);
  return {
    symbol: candles.symbol,
    interval: candles.interval,
    time: time.slice(),
    open: open.slice(),
    high: high.slice(),
    low: low.slice(),
    close: close.slice(),
    volume: volume.slice(),
  };
}

/** A row whose outcome was not known when it says it was. */
export interface EarlyOutcome {
  readonly row: number;
  readonly reason: string;
}

/**
 * Looks for outcomes that were used before they had settled: each row of a series is labelled again from the bars that had
 * closed by the moment it says its label was known, and must get that label then, and none a bar earlier.
 * @param labelled rows of this series alone. @returns the first that differs, or null.
 */
export function findEarlyOutcome(
  { samples, facts }: LabelledSamples,
  candles: Candles,
  calendar: Calendar,
  policy: LabelPolicy,
): EarlyOutcome | null {
  const closes = closesOf(candles, calendar);
  const told = (row: number, bars: number) => {
    const { plan, label } = facts[row];
    const subject = { source: "detection", id: label.subject, plan } as const;
    return labelPlan(sliceCandles(candles, 0, bars), calendar, subject, policy).label;
  };
  for (const [row, { plan }] of facts.entries()) {
    const bars = upperBound(closes, samples.settledAt[row]);
    const now = told(row, bars);
    const reason =
      samples.decidedAt[row] !== closes[plan.at]
        ? "it was not decided at the close of its bar"
        : now === null
          ? "the bars that had closed did not tell yet"
          : now.value !== samples.labels[row]
            ? "the bars that had closed told something else"
            : told(row, bars - 1) !== null
              ? "its outcome was known earlier"
              : null;
    if (reason !== null) return { row, reason };
  }
  return null;
}
