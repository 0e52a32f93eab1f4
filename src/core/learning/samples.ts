import { lendingColumns } from "../base/columns.js";
import { hash32 } from "../base/rng.js";
import type { Candles } from "../market/candles.js";
import type { Interval } from "../market/interval.js";
import type { Pattern, PatternFamily } from "../patterns/define.js";
import { REGIMES, type Regime, UNKNOWN } from "../regime/define.js";
import { horizonOf } from "../signals/levels.js";
import { computeRanges } from "../signals/ranges.js";
import { type PatternPlan, planTrade, type TradePlan } from "../signals/trade.js";
import type { Samples } from "./define.js";
import {
  columnsOf,
  FEATURE_SCHEMA,
  FEATURE_WARMUP,
  FEATURES,
  type FeatureColumns,
  type Turned,
  turnedBy,
  writeSeen,
} from "./features/index.js";
import { type DirectedHit, type FeatureContext, FeatureSeries } from "./features/series.js";
import { SETUP } from "./features/setup.js";
import { type Label, type LabelPolicy, labelPlan } from "./label.js";
import { averageUniqueness } from "./uniqueness.js";

/** Columns that models are trained on and shown, in their order. */
export const SAMPLE_NAMES: readonly string[] = Object.freeze([...FEATURES, ...SETUP].map(({ id }) => id));

/** Eight hexadecimal digits that another list, order or definition of the columns would change. */
export const SAMPLE_SCHEMA: string = hash32(`${FEATURE_SCHEMA} ${JSON.stringify(SETUP)}`)
  .toString(16)
  .padStart(8, "0");

/** Patterns that were confirmed at one bar and expect the same. */
export interface Occasion {
  readonly at: number;
  readonly direction: 1 | -1;
  /** Best fit first; of equal ones the first of the table. */
  readonly hits: readonly DirectedHit[];
}

/** What is known of a row beside its columns. */
export interface SampleFacts {
  readonly symbol: string;
  readonly interval: Interval;
  /** Bar of the decision in its series, and its open, epoch ms. */
  readonly at: number;
  readonly time: number;
  /** Variants of the patterns, the one whose trade it is first. */
  readonly patterns: readonly string[];
  readonly regime: Regime | null;
  readonly plan: PatternPlan;
  readonly label: Label;
  /** Bar at whose close the label was known. */
  readonly exitAt: number;
}

/** Samples with the facts of each row, in the same order. */
export interface LabelledSamples {
  readonly samples: Samples;
  readonly facts: readonly SampleFacts[];
}

export interface SampleTerms {
  readonly policy: LabelPolicy;
  /** In and out together, basis points. */
  readonly costBps: number;
  /** Decisions on these alone; on all of the table without it. */
  readonly patterns?: readonly Pattern[];
  /** First bar that may decide; the first with every feature by default. */
  readonly from?: number;
}

export interface BuiltSamples extends LabelledSamples {
  /** Decisions that gave no row: no range or level, an open beyond stop or target, bars that do not tell yet. */
  readonly unpriced: number;
  readonly voided: number;
  readonly open: number;
}

/** The occasions on confirmed patterns at bars from `from` on, by bar, rising before falling. */
export function occasionsOf(series: FeatureSeries, from = 0, patterns?: readonly Pattern[]): Occasion[] {
  const wanted = patterns && new Set(patterns.flatMap(({ variants }) => variants.map(({ id }) => id)));
  const occasions: Occasion[] = [];
  const { hits } = series;
  for (let k = 0; k < hits.length; ) {
    const { at } = hits[k].hit;
    const first = k;
    while (k < hits.length && hits[k].hit.at === at) k++;
    if (at < from) continue;
    for (const direction of [1, -1] as const) {
      const same = hits
        .slice(first, k)
        .filter((each) => each.direction === direction && (wanted?.has(each.hit.variant.id) ?? true))
        .sort((a, b) => b.hit.quality - a.hit.quality);
      if (same.length > 0) occasions.push({ at, direction, hits: same });
    }
  }
  return occasions;
}

/** The trade on an occasion: that on its best pattern. @returns null without a range or usable levels. */
export function planOf(
  { candles }: FeatureSeries,
  { at, hits: [best] }: Occasion,
  range: number,
  costBps: number,
): PatternPlan | null {
  return planTrade(best.hit, candles.close[at], range, costBps);
}

/** What a row has of a trade beside its plan. */
interface RowOf {
  readonly plan: TradePlan;
  /** Best fit, 0 to 1. */
  readonly quality: number;
  readonly families: readonly PatternFamily[];
}

/**
 * The row of an occasion, in the order of `SAMPLE_NAMES`: what a model is trained on and what it is shown are made here.
 * @param features columns of all of `FEATURES`.
 */
export function rowOf(
  series: FeatureSeries,
  features: FeatureColumns,
  { hits }: Occasion,
  plan: PatternPlan,
  turned?: Turned,
): Float64Array {
  const trade = { plan, quality: hits[0].hit.quality, families: hits.map(({ family }) => family) };
  return rowOfTrade(series, features, trade, turned);
}

function rowOfTrade(
  series: FeatureSeries,
  features: FeatureColumns,
  { plan, quality, families }: RowOf,
  turned?: Turned,
): Float64Array {
  const { at, direction } = plan;
  const row = new Float64Array(SAMPLE_NAMES.length);
  writeSeen(features, at, direction, row, turned);
  const setup = { plan, close: series.candles.close[at], range: series.range[at], quality, families };
  for (const [k, feature] of SETUP.entries()) row[features.columns.length + k] = feature.compute(setup);
  return row;
}

/**
 * Rows of all occasions on a series whose trade has settled, in the order of time, weighted by how much each has to
 * itself. Features are those at the close of the bar of the decision; entry is the open after it.
 * @param candles closed bars.
 */
export function samplesOf(candles: Candles, context: FeatureContext, terms: SampleTerms): BuiltSamples {
  const { policy, costBps, patterns, from = FEATURE_WARMUP } = terms;
  const series = new FeatureSeries(candles, context);
  const features = columnsOf(series);
  const turned = turnedBy(features.features);
  const ranges = computeRanges(candles, Math.min(from, candles.time.length));
  const rows: Float64Array[] = [];
  const facts: SampleFacts[] = [];
  const counts = { unpriced: 0, voided: 0, open: 0 };
  for (const occasion of occasionsOf(series, from, patterns)) {
    const { at } = occasion;
    const plan = planOf(series, occasion, ranges[at], costBps);
    if (plan === null) {
      counts.unpriced++;
      continue;
    }
    const subject = { source: "detection", id: subjectOf(candles, occasion), plan } as const;
    const labelling = labelPlan(candles, context.calendar, subject, policy);
    if (labelling.status !== "settled") {
      counts[labelling.status === "void" ? "voided" : "open"]++;
      continue;
    }
    rows.push(rowOf(series, features, occasion, plan, turned));
    facts.push(factsOf(series, occasion, plan, labelling.label, labelling.exitAt));
  }
  return { samples: columnsOfRows(rows, facts), facts, ...counts };
}

/** An occasion at the newest bar, as a model is shown it. */
export interface NewestRow {
  readonly occasion: Occasion;
  readonly plan: PatternPlan;
  /** Of the bar; null while too few bars tell. */
  readonly regime: Regime | null;
  readonly row: Float64Array;
}

/**
 * The occasions at the newest bar, those on usable levels, with the rows that `samplesOf` would give them, but that what
 * came before the bars is not known to them: give `FEATURE_MEMORY` bars or more.
 */
export function newestRows(
  candles: Candles,
  context: FeatureContext,
  { costBps, patterns }: Pick<SampleTerms, "costBps" | "patterns">,
): NewestRow[] {
  return rowsAtNewest(candles, context, costBps, (series, newest) => occasionsOf(series, newest, patterns));
}

/**
 * The same for each pattern of the newest bar as if the trade were its own, the others beside it: what is stored of a pattern
 * that is seen.
 */
export function newestPatternRows(
  candles: Candles,
  context: FeatureContext,
  { costBps }: Pick<SampleTerms, "costBps">,
): NewestRow[] {
  return rowsAtNewest(candles, context, costBps, (series, newest) =>
    occasionsOf(series, newest).flatMap(eachFirst),
  );
}

/** The same at every bar from `from` on, each as if none came after it: for what is asked of a whole series. */
export function patternRows(
  candles: Candles,
  context: FeatureContext,
  { costBps, from = FEATURE_WARMUP }: Omit<SampleTerms, "policy" | "patterns">,
): NewestRow[] {
  const series = new FeatureSeries(candles, context);
  const features = columnsOf(series);
  const turned = turnedBy(features.features);
  const ranges = computeRanges(candles, Math.min(from, candles.time.length));
  return occasionsOf(series, from)
    .flatMap(eachFirst)
    .flatMap((occasion) => {
      const plan = planOf(series, occasion, ranges[occasion.at], costBps);
      if (plan === null) return [];
      const row = rowOf(series, features, occasion, plan, turned);
      return [{ occasion, plan, regime: regimeAt(series, occasion.at), row }];
    });
}

/** A trade at the newest bar whose levels no pattern of the table gives. */
export type OwnTrade = Pick<TradePlan, "direction" | "stop" | "target"> & {
  /** Fit of what it is on, 0 to 1. */
  readonly quality: number;
};

/**
 * The row of such a trade, patterns of the newest bar that expect the same beside it: columns that tell of patterns say of
 * a bar without them that there are none. @returns null where fewer bars are there than features look back.
 */
export function newestTradeRow(
  candles: Candles,
  context: FeatureContext,
  { direction, stop, target, quality }: OwnTrade,
  { costBps }: Pick<SampleTerms, "costBps">,
): Pick<NewestRow, "regime" | "row"> | null {
  const at = candles.time.length - 1;
  if (at < FEATURE_WARMUP) return null;
  return lendingColumns(() => {
    const series = new FeatureSeries(candles, context, at);
    const same = occasionsOf(series, at).find((occasion) => occasion.direction === direction);
    const plan = { at, direction, stop, target, horizon: horizonOf(null), costBps };
    const families = same?.hits.map(({ family }) => family) ?? [];
    const row = rowOfTrade(series, columnsOf(series), { plan, quality, families });
    return { regime: regimeAt(series, at), row };
  });
}

/** An occasion for each of its patterns, whose trade is then its own. */
function eachFirst(occasion: Occasion): Occasion[] {
  const { hits } = occasion;
  return hits.map((hit) => ({ ...occasion, hits: [hit, ...hits.filter((other) => other !== hit)] }));
}

function rowsAtNewest(
  candles: Candles,
  context: FeatureContext,
  costBps: number,
  find: (series: FeatureSeries, newest: number) => readonly Occasion[],
): NewestRow[] {
  const newest = candles.time.length - 1;
  if (newest < 0) return [];
  return lendingColumns(() => {
    const series = new FeatureSeries(candles, context, newest);
    const occasions = find(series, newest);
    if (occasions.length === 0) return [];
    const features = columnsOf(series);
    const range = computeRanges(candles, newest)[newest];
    const regime = regimeAt(series, newest);
    return occasions.flatMap((occasion) => {
      const plan = planOf(series, occasion, range, costBps);
      return plan === null ? [] : [{ occasion, plan, regime, row: rowOf(series, features, occasion, plan) }];
    });
  });
}

/** An occasion has one name wherever its series begins. */
export function subjectOf(
  { symbol, interval, time }: Candles,
  { at, direction }: Pick<Occasion, "at" | "direction">,
): string {
  return `${symbol} ${interval} ${time[at]} ${direction}`;
}

/** Regime of the market at a bar; null while too few bars tell. */
export function regimeAt({ regimes }: FeatureSeries, at: number): Regime | null {
  const label = regimes.label[at];
  return label === UNKNOWN ? null : REGIMES[label];
}

function factsOf(
  series: FeatureSeries,
  { at, hits }: Occasion,
  plan: PatternPlan,
  label: Label,
  exitAt: number,
): SampleFacts {
  const { symbol, interval, time } = series.candles;
  return {
    symbol,
    interval,
    at,
    time: time[at],
    patterns: hits.map(({ hit }) => hit.variant.id),
    regime: regimeAt(series, at),
    plan,
    label,
    exitAt,
  };
}

function columnsOfRows(rows: readonly Float64Array[], facts: readonly SampleFacts[]): Samples {
  const entries = Int32Array.from(facts, ({ at }) => at + 1);
  const exits = Int32Array.from(facts, ({ exitAt }) => exitAt);
  return {
    names: SAMPLE_NAMES,
    columns: SAMPLE_NAMES.map((_, k) => Float64Array.from(rows, (row) => row[k])),
    labels: Float64Array.from(facts, ({ label }) => label.value),
    decidedAt: Float64Array.from(facts, ({ label }) => label.decidedAt),
    settledAt: Float64Array.from(facts, ({ label }) => label.settledAt),
    weights: averageUniqueness(entries, exits),
  };
}
