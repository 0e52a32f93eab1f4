import { lowerBound } from "../../core/base/search.js";
import { barClose, barOpensBetween, lastClosedBar } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import type { Instrument } from "../../core/market/instrument.js";
import { INTERVAL_MS, type Interval, isIntraday } from "../../core/market/interval.js";
import { calendarOf, lastOpened } from "../../core/market/session.js";
import { sleep } from "../../platform/clock.js";
import { AppError, ERRORS } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import type { JobContext } from "../../platform/jobs.js";
import type { Gateway } from "../../providers/gateway.js";
import type { Instruments } from "../instruments/instruments.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { BackfillCheckpoint, BackfillInput, BackfillResult, Series } from "./backfill.js";
import { type Gap, gapsOf, joinGaps } from "./backfill-gaps.js";
import type { CandleService } from "./candles.js";
import type { CandleStore, Stretch } from "./store.js";

export interface BackfillParts {
  readonly candles: CandleService;
  readonly candleStore: CandleStore;
  readonly instruments: Instruments;
  readonly gateway: Gateway;
}

/** Bars that are asked for and stored at a time, and gone on from. */
const STRETCH_BARS = 2_000;
/** How often a stretch is asked for while no source answers. */
const TRIES = 3;
const WAIT_LEAST_MS = 1_000;
const WAIT_LIMIT_MS = 30_000;
/** Symbols in a row of which sources give nothing before it is taken for a fault of theirs. */
const FAILURES_IN_A_ROW = 3;
/** Gaps of a symbol that are listed. */
const GAPS_LIMIT = 200;

type Context = JobContext<BackfillCheckpoint>;

interface Work {
  readonly parts: BackfillParts;
  readonly order: BackfillInput;
  readonly context: Context;
}

/** Bars that the calendar of an instrument has in a stretch. */
export function countBars(
  { calendar: id }: Pick<Instrument, "calendar">,
  { interval, from, to }: { readonly interval: Interval; readonly from: number; readonly to: number },
): number {
  const calendar = calendarOf(id);
  if (!isIntraday(interval)) return barOpensBetween(calendar, interval, from, to).length;
  const length = INTERVAL_MS[interval];
  const end = lowerBound(calendar.open, to);
  let count = 0;
  for (let i = Math.max(0, lastOpened(calendar, from)); i < end; i++) {
    const open = calendar.open[i];
    const opensBefore = (moment: number) => Math.max(0, Math.ceil((moment - open) / length));
    count += Math.max(0, opensBefore(Math.min(calendar.close[i], to)) - opensBefore(from));
  }
  return count;
}

/**
 * Goes through the symbols stretch by stretch. A symbol of which sources give nothing is told of in the result.
 * @throws {AppError} what the sources said, when several in a row or all fail.
 */
export async function runBackfill(
  parts: BackfillParts,
  order: BackfillInput,
  context: Context,
): Promise<BackfillResult> {
  const work: Work = { parts, order, context };
  const { last } = context.checkpoint;
  const underway = last !== null && last.nextMs < order.to ? last.series.at(-1) : undefined;
  const done: Series[] = last === null ? [] : last.series.filter((series) => series !== underway);
  const sizes = order.symbols.map((symbol) => countBars(parts.instruments.identify(symbol), order));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let failures = 0;

  for (let i = done.length; i < order.symbols.length; i++) {
    const base = sizes.slice(0, i).reduce((sum, size) => sum + size, 0);
    const phase = `${order.symbols[i]}, ${i + 1} of ${order.symbols.length}`;
    const resumed = i === done.length && underway?.symbol === order.symbols[i] ? underway : null;
    const outcome = await fillSeries(work, order.symbols[i], {
      begun: resumed,
      fromMs: resumed === null || last === null ? order.from : last.nextMs,
      onStretch: async (series, nextMs) => {
        context.report(phase, base + series.expected, total);
        if (series.problem === null) await context.checkpoint.save({ series: [...done, series], nextMs });
      },
    });
    done.push(outcome.series);
    failures = outcome.failure === null ? 0 : failures + 1;
    if (outcome.failure !== null && failures >= Math.min(FAILURES_IN_A_ROW, order.symbols.length)) {
      throw outcome.failure;
    }
  }
  return resultOf(order, done);
}

function resultOf({ interval, from, to }: BackfillInput, series: readonly Series[]): BackfillResult {
  const sum = (field: "bars" | "missing") => series.reduce((all, each) => all + each[field], 0);
  return {
    interval,
    from: isoTime(from),
    to: isoTime(to),
    bars: sum("bars"),
    missing: sum("missing"),
    series: [...series],
  };
}

/** @param onStretch is told after each stretch how far the series is, and where the next one begins. */
async function fillSeries(
  work: Work,
  symbol: string,
  start: {
    begun: Series | null;
    fromMs: number;
    onStretch: (series: Series, nextMs: number) => Promise<void>;
  },
): Promise<{ series: Series; failure: AppError | null }> {
  const { parts, order, context } = work;
  const { interval, to } = order;
  let series: Series = start.begun ?? {
    symbol,
    expected: 0,
    bars: 0,
    missing: 0,
    sources: [],
    gaps: [],
    gaps_left_out: 0,
    problem: null,
  };
  const calendar = calendarOf(parts.instruments.identify(symbol).calendar);
  const opens = barOpensBetween(calendar, interval, start.fromMs, to);
  let failure: AppError | null = null;
  let restated = 0;
  for (let i = 0; i < opens.length; i += STRETCH_BARS) {
    context.signal.throwIfAborted();
    const stretch = { from: opens[i], to: opens[i + STRETCH_BARS] ?? to };
    if (failure === null) {
      failure = await persist(work, async () => {
        restated = await fillStretch(work, symbol, stretch);
      });
    }
    const rest = failure === null ? stretch : { from: stretch.from, to };
    series = await measured(work, series, rest, failure);
    if (order.refresh === true) series = { ...series, restated: (series.restated ?? 0) + restated };
    restated = 0;
    await start.onStretch(series, rest.to);
    if (failure !== null) break;
  }
  return { series, failure };
}

/** Tries again while sources do not answer. @returns what they said last; null when it was done. */
async function persist({ context }: Work, deed: () => Promise<void>): Promise<AppError | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      await deed();
      return null;
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
      if (!ERRORS[error.code].retryable || attempt >= TRIES) return error;
      const waitMs = Math.max(WAIT_LEAST_MS * 2 ** attempt, (error.retryAfterS ?? 0) * 1_000);
      await sleep(Math.min(WAIT_LIMIT_MS, waitMs), context.signal);
      context.signal.throwIfAborted();
    }
  }
}

/**
 * Fetches and stores what is missing of a stretch, also where it was asked for before; all of it for a refresh.
 * @returns how many stored bars are others now.
 */
async function fillStretch({ parts, order }: Work, symbol: string, stretch: Stretch): Promise<number> {
  const { candles, candleStore: store, instruments, gateway } = parts;
  const { interval } = order;
  const instrument = await instruments.resolve(symbol);
  const calendar = calendarOf(instrument.calendar);
  const from = Math.max(stretch.from, await gateway.earliestMs(instrument, interval));
  const closed = lastClosedBar(calendar, interval, await gateway.feedNowMs(instrument, interval));
  const to = Math.min(stretch.to, closed === null ? from : closed + 1);
  if (from >= to) return 0;
  const stored = await store.load(instrument.id, symbol, interval, from, to);
  if (order.refresh === true) {
    await store.forgetStretch(instrument.id, interval, { from, to });
    await candles.ensureStored(instrument, interval, from, to);
    return countRestated(
      stored.candles,
      (await store.load(instrument.id, symbol, interval, from, to)).candles,
    );
  }
  const { gaps } = gapsOf({ calendar, interval }, { from, to }, stored.candles.time, () => "");
  const first = gaps[0];
  const last = gaps.at(-1);
  if (first === undefined || last === undefined) return 0;
  const missing = { from: Date.parse(first.from), to: Date.parse(last.to) };
  await store.forgetStretch(instrument.id, interval, missing);
  await candles.ensureStored(instrument, interval, missing.from, missing.to);
  return 0;
}

/** Bars of both series that differ. */
function countRestated(before: Candles, after: Candles): number {
  const at = new Map(Array.from(after.time, (time, i) => [time, i]));
  const columns = ["open", "high", "low", "close", "volume"] as const;
  return before.time.reduce((count, time, i) => {
    const j = at.get(time);
    return j !== undefined && columns.some((column) => before[column][i] !== after[column][j])
      ? count + 1
      : count;
  }, 0);
}

/** A series with what is stored and missing of its next stretch. */
async function measured(
  { parts, order }: Work,
  series: Series,
  stretch: Stretch,
  failure: AppError | null,
): Promise<Series> {
  const { interval } = order;
  const instrument = failure?.code === "symbol_unknown" ? null : await resolved(parts, series.symbol);
  const grid = { calendar: calendarOf(parts.instruments.identify(series.symbol).calendar), interval };
  const { from, to } = stretch;
  const stored =
    instrument === null
      ? null
      : await parts.candleStore.load(instrument.id, series.symbol, interval, from, to);
  const reasonOf =
    failure === null && instrument !== null
      ? await reasons(parts, instrument, interval)
      : () => failure?.message ?? "the symbol is not known any more";
  const { expected, gaps } = gapsOf(grid, stretch, stored?.candles.time ?? new Float64Array(0), reasonOf);
  const missing = gaps.reduce((sum, gap) => sum + gap.bars, 0);
  const joined: readonly Gap[] = joinGaps(grid, series.gaps, gaps);
  const source = stored?.source ?? null;
  return {
    ...series,
    expected: series.expected + expected,
    bars: series.bars + (stored?.candles.time.length ?? 0),
    missing: series.missing + missing,
    sources:
      source === null || series.sources.includes(source) ? series.sources : [...series.sources, source],
    gaps: joined.slice(0, GAPS_LIMIT),
    gaps_left_out: series.gaps_left_out + Math.max(0, joined.length - GAPS_LIMIT),
    problem: failure?.message ?? null,
  };
}

/** Null for a symbol that cannot be asked about, of which nothing is stored then. */
async function resolved({ instruments }: BackfillParts, symbol: string): Promise<KnownInstrument | null> {
  try {
    return await instruments.resolve(symbol);
  } catch (error) {
    if (error instanceof AppError && error.code !== "database_unavailable") return null;
    throw error;
  }
}

/** Why a bar is missing of a series that sources were asked for. */
async function reasons(
  { gateway }: BackfillParts,
  instrument: KnownInstrument,
  interval: Interval,
): Promise<(open: number) => string> {
  const calendar = calendarOf(instrument.calendar);
  const earliest = await gateway.earliestMs(instrument, interval);
  const reached = await gateway.feedNowMs(instrument, interval);
  return (open) => {
    if (open < earliest) return "before the first bar that a source has";
    if (barClose(calendar, interval, open) > reached) return "not closed yet";
    return "no source gives a bar here";
  };
}
