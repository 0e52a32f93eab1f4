import { z } from "zod";
import { FEATURE_MEMORY } from "../../core/learning/features/index.js";
import type { LabelPolicy } from "../../core/learning/label.js";
import { LEARNING_TERMS } from "../../core/learning/lesson.js";
import { SAMPLE_NAMES, SAMPLE_SCHEMA } from "../../core/learning/samples.js";
import { barClose } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import { INTERVAL_MS } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { VOLATILITY_INDICES } from "../../core/market/symbols.js";
import { ROUND_TRIP_BPS } from "../../core/signals/levels.js";
import { AppError } from "../../platform/errors.js";
import type { StoredSeries } from "../evidence/stored.js";
import type { KnowledgeStore } from "../models/knowledge.js";
import { ANY, type Purpose } from "../models/store.js";
import type { LabelStore } from "./label-store.js";
import type { Grouping, LessonSeries } from "./lesson.js";

export const TREES = "gradient_trees";
const SEED = 1;
const DAY_MS = 86_400_000;
const MOST_DAYS = 36_500;

/** What every training is of: how trades become labels, what rows hold, and how candidates are learned and tried. */
export const POLICY: LabelPolicy = { kind: "barriers" };
export const HEAD = { learner: TREES, featureSchema: SAMPLE_SCHEMA, columns: SAMPLE_NAMES };
export const TERMS = { ...LEARNING_TERMS, seed: SEED };

const daysOf = (lookback: string) => Number.parseInt(lookback, 10);
const isWithinDays = (lookback: string) => daysOf(lookback) >= 1 && daysOf(lookback) <= MOST_DAYS;

/** How far back decisions are taken from. */
export const windowFields = {
  lookback: z
    .string()
    .regex(/^\d{1,5}d$/, "must be a number of days, 180d")
    .refine(isWithinDays, `must be 1d to ${MOST_DAYS}d`)
    .meta({ type: "string", pattern: undefined, examples: ["180d"] })
    .optional()
    .describe("How far back decisions are learned from; all of them without it"),
  window_days: z.number().int().min(1).max(MOST_DAYS).optional().describe("The same as a number of days"),
};
type Window = { readonly lookback?: string | undefined; readonly window_days?: number | undefined };

export const isOneWindow = ({ lookback, window_days: days }: Window) =>
  lookback === undefined || days === undefined;

/** First moment of a window, epoch ms; 0 without one. */
export function sinceOf(
  { lookback: text, window_days = text === undefined ? undefined : daysOf(text) }: Window,
  nowMs: number,
): number {
  return window_days === undefined ? 0 : nowMs - window_days * DAY_MS;
}

/** Series of one asset class and interval, or of all. */
export interface Lot {
  readonly assetClass: string;
  readonly interval: string;
  readonly series: readonly StoredSeries[];
}

/** Series by asset class and interval, then all together where there are several lots. */
export function lotsOf(
  all: readonly StoredSeries[],
  { asset_class, timeframe }: { asset_class?: string | undefined; timeframe?: string | undefined },
): Lot[] {
  const wanted = all.filter(
    ({ instrument, interval }) =>
      !VOLATILITY_INDICES.has(instrument.symbol) &&
      (asset_class === undefined || instrument.assetClass === asset_class) &&
      (timeframe === undefined || interval === timeframe),
  );
  if (wanted.length === 0) throw new AppError("no_data", "No stored series is long enough to learn from");
  const lots = new Map<string, { assetClass: string; interval: string; series: StoredSeries[] }>();
  for (const series of wanted) {
    const { interval, instrument } = series;
    const key = `${instrument.assetClass} ${interval}`;
    const lot = lots.get(key);
    if (lot === undefined) lots.set(key, { assetClass: instrument.assetClass, interval, series: [series] });
    else lot.series.push(series);
  }
  const apart = [...lots.values()];
  return apart.length > 1 ? [...apart, { assetClass: ANY, interval: ANY, series: wanted }] : apart;
}

export const purposeOf = ({ assetClass, interval }: Lot, grouping: Grouping): Purpose => ({
  learner: TREES,
  assetClass,
  interval,
  grouping,
});

export type ReadSeries = (series: StoredSeries, signal: AbortSignal) => Promise<Candles>;

/** Where a training reads candles, what was known beside them, and what was said of decisions. */
export interface LotSource {
  readonly read: ReadSeries;
  readonly knowledge: KnowledgeStore;
  readonly labels: Pick<LabelStore, "statements">;
}

/** Bars of a market that is open all the time, per bar of one that is open on weekdays for a session. */
const OPEN_SHARE = 6;

/**
 * The stored candles of a lot, with what was known beside them, and as many before a moment as features of decisions from
 * then on read. @param sinceMs first moment that decisions are taken from, epoch ms.
 */
export async function readLot(
  { read, knowledge, labels }: LotSource,
  lot: Lot,
  sinceMs: number,
  signal: AbortSignal,
): Promise<LessonSeries[]> {
  const series: LessonSeries[] = [];
  for (const each of lot.series) {
    signal.throwIfAborted();
    if (each.untilMs < sinceMs) continue;
    const { calendar, assetClass, symbol, id } = each.instrument;
    const fromMs = Math.max(each.fromMs, sinceMs - OPEN_SHARE * FEATURE_MEMORY * INTERVAL_MS[each.interval]);
    const candles = await read({ ...each, fromMs }, signal);
    const closedMs = barClose(calendarOf(calendar), each.interval, each.untilMs);
    const known = await knowledge.load({ symbol, interval: each.interval }, fromMs, closedMs);
    const statements = await labels.statements(id, each.interval, SAMPLE_SCHEMA);
    const costBps = ROUND_TRIP_BPS[assetClass];
    series.push({ candles, calendar, costBps, knowledge: known, statements, sinceMs, assetClass });
  }
  return series;
}
