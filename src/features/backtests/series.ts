import { createHash } from "node:crypto";
import { daysOfTrack } from "../../core/backtest/track.js";
import { lowerBound } from "../../core/base/search.js";
import { FEATURE_MEMORY } from "../../core/learning/features/index.js";
import { barClose, openBefore } from "../../core/market/bar-times.js";
import { BAR_COLUMNS, type Candles, sharedCandles, sliceCandles } from "../../core/market/candles.js";
import type { Interval } from "../../core/market/interval.js";
import { returnsPerYear } from "../../core/market/returns-per-year.js";
import { calendarOf } from "../../core/market/session.js";
import { LEAD_BARS } from "../../core/signals/lead.js";
import { ROUND_TRIP_BPS } from "../../core/signals/levels.js";
import { type Known, lacksOf, type Strategy, scarceOf } from "../../core/strategies/define.js";
import { type Facts, sliceFacts } from "../../core/strategies/facts.js";
import { AppError } from "../../platform/errors.js";
import type { Actions } from "../candles/actions.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import type { Instruments } from "../instruments/instruments.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { BarScores } from "../models/bar-scores.js";
import type { ModelVersion } from "../models/store.js";
import type { ChainFacts } from "../options/chain-facts.js";
import type { BenchmarkOrder } from "./benchmark.js";
import { dividendsOf, type PaidDividends } from "./corporate-actions.js";
import { type Followed, followedBy, modelsOf, scoresOf } from "./followed.js";
import type { RunSeries } from "./listings.js";
import type { Chosen, RunFields } from "./order.js";
import { reachNotes } from "./reach.js";
import { countBars, orderedStretch, type Stretch, stretchOf } from "./stretch.js";
import { dayOf, type RunTerms } from "./terms.js";

/** The bars of a run, and the terms that follow from what is traded. */
export interface RunData extends RunSeries {
  /** As they were loaded, with the bars that lead up to those that are traded. */
  readonly sets: readonly CandleSet[];
  /** Versions of models whose scores are among the facts, each once. */
  readonly models: readonly ModelVersion[];
  /** What is to be said of the bars, beside what their sets say. */
  readonly notes: readonly string[];
  readonly terms: RunTerms;
  readonly benchmark: BenchmarkOrder;
  readonly fromMs: number;
  readonly toMs: number;
  /** Where the stretch of each symbol ends, by its calendar; `toMs` is the latest of them. */
  readonly ends: readonly number[];
  /** SHA-256 over symbols, interval and all columns of the bars that are traded. */
  readonly sha256: string;
  readonly synthetic: boolean;
}

export interface SeriesParts {
  readonly candles: Pick<CandleService, "loadRange">;
  readonly instruments: Pick<Instruments, "resolve" | "identify">;
  readonly actions: Pick<Actions, "load">;
  readonly chainFacts: ChainFacts;
  readonly barScores: BarScores;
  readonly now: () => number;
}

/** Bars of a benchmark that are loaded before the first of a run. */
const BENCHMARK_LEAD = 3;
/**
 * Closed bars of all symbols, and what they are traded under.
 * @throws {AppError} as candles do; `no_data` without bars; `invalid_request` for more than `limit` bars in all and for
 * symbols of several currencies; `strategy_unfit` naming what the strategy needs and the bars have not.
 */
export async function loadRun(
  parts: SeriesParts,
  chosen: readonly Chosen[],
  symbols: readonly string[],
  order: RunFields,
  limit: number,
): Promise<RunData> {
  const known = await instrumentsOf(parts, symbols);
  // A date is a day of each symbol's own market, whichever of them is named first.
  const asked = known.map(({ calendar }) => orderedStretch(order, parts.now(), calendarOf(calendar)));
  const followed = await followedBy(parts, chosen, known, order, asked[0]);
  const stretches = asked.map((each) => ({ ...each, fromMs: Math.max(each.fromMs, followed?.fromMs ?? 0) }));
  const bars = await loadBars(parts, chosen, known, order.interval, stretches, limit, followed);
  for (const { strategy } of chosen) {
    const own = bars.series.map((candles, k) => ({ candles, facts: bars.facts[k] }));
    const lacks = [...lacksOf(strategy, own), ...scarceOf(strategy, own)];
    if (lacks.length > 0) throw new AppError("strategy_unfit", `${strategy.id} ${lacks.join("; ")}`);
  }
  for (const { strategy, values } of chosen) {
    const misfit = strategy.misfit(order.interval, values) ?? hoursMisfit(strategy, known);
    if (misfit !== null) throw new AppError("strategy_unfit", `${strategy.id} ${misfit}`);
  }
  const benchmark = await benchmarkOf(parts, order, limit);
  const mute = bars.series.filter(({ volume }) => !volume.some((each) => each > 0));
  const seen = followed?.notes ?? [];
  const notes = [...seen, ...bars.notes, ...(order.costs.volume_share === null ? [] : muteNotes(mute))];
  const terms = termsOf(known, chosen, order, mute.length === 0);
  return { ...bars, notes, terms, benchmark };
}

/**
 * What can be said against an order before it is begun.
 * @throws {AppError} `symbol_invalid`, `invalid_request` for an end before the start, `job_limit_exceeded`.
 */
export function checkSize(
  { instruments, now }: Pick<SeriesParts, "instruments" | "now">,
  symbols: readonly string[],
  order: RunFields,
  limit: number,
): void {
  let bars = 0;
  for (const symbol of symbols) {
    const { calendar } = instruments.identify(symbol);
    const { fromMs, toMs } = stretchOf(order, now(), calendarOf(calendar));
    bars += countBars(calendar, order.interval, fromMs, toMs, limit);
    if (bars <= limit) continue;
    const detail = `symbols x bars: more than ${limit} ${order.interval} bars in a job; ask for fewer symbols or less time`;
    throw new AppError("job_limit_exceeded", detail);
  }
}

/** Bars of a symbol of an order that closed by now at most, by its calendar: the fewest of them all. */
export function mostBars(
  { instruments, now }: Pick<SeriesParts, "instruments" | "now">,
  symbols: readonly string[],
  order: RunFields,
  limit: number,
): number {
  const counts = symbols.map((symbol) => {
    const { calendar } = instruments.identify(symbol);
    const { fromMs, toMs } = stretchOf(order, now(), calendarOf(calendar));
    return countBars(calendar, order.interval, fromMs, Math.min(toMs, now()), limit);
  });
  return Math.min(...counts);
}

/** @throws {AppError} as instruments do, `invalid_request` for symbols of several currencies. */
export async function instrumentsOf({ instruments }: SeriesParts, symbols: readonly string[]) {
  const known: KnownInstrument[] = [];
  for (const symbol of symbols) {
    const instrument = await instruments.resolve(symbol);
    if (!known.some((each) => each.symbol === instrument.symbol)) known.push(instrument);
  }
  const currencies = new Set(known.map(({ currency }) => currency));
  if (currencies.size > 1) {
    const detail = `body symbols: one account has one currency, not ${[...currencies].join(" and ")}`;
    throw new AppError("invalid_request", detail);
  }
  return known;
}

/** Versions whose scores a strategy reads; null where none does. */
type Following = Pick<Followed, "versions"> | null;

/**
 * Closed bars of a stretch of each symbol with those that lead up to it, and what else is known of the symbols.
 * @throws {AppError} as candles do; `no_data` without two bars; `invalid_request` for more than `limit` bars in all.
 */
export async function loadBars(
  parts: SeriesParts,
  chosen: readonly Chosen[],
  known: readonly KnownInstrument[],
  interval: Interval,
  stretches: readonly Stretch[],
  limit: number,
  followed: Following = null,
): Promise<Omit<RunData, "terms" | "benchmark">> {
  const sets = await loadSets(parts, chosen, known, interval, { stretches, followed }, limit);
  // A job gives them to threads many times.
  const whole = sets.map(({ candles }) => sharedCandles(candles));
  const first = whole.map(({ time }, k) => lowerBound(time, stretches[k].fromMs));
  const series = whole.map((candles, k) => sliceCandles(candles, first[k]));
  const allFacts = await factsOf(parts, chosen, known, whole, followed);
  const facts = allFacts.map((each, k) => sliceFacts(each, whole[k].time.length, first[k]));
  const lead = whole.map((candles, k) => ({
    candles: sliceCandles(candles, 0, first[k]),
    facts: sliceFacts(allFacts[k], first[k]),
  }));
  const paid: PaidDividends[] = [];
  for (const [k, set] of sets.entries()) {
    const told = await parts.actions.load(known[k], stretches[k].knownAtMs);
    const { time } = series[k];
    paid.push(dividendsOf(set, told, { fromMs: time[0], toMs: time[time.length - 1] + 1 }));
  }
  const reached = series.flatMap((candles, k) => {
    const { fromMs, toMs, knownAtMs } = stretches[k];
    const until = { fromMs, toMs: Math.min(toMs, knownAtMs ?? parts.now()) };
    return reachNotes(candles, known[k].calendar, until);
  });
  const notes = [...reached, ...coldNotes(chosen, lead), ...paid.flatMap((each) => each.notes)];
  return {
    sets,
    series,
    facts,
    models: modelsOf(followed),
    lead,
    happenings: paid.map(({ happenings }) => happenings),
    notes,
    fromMs: Math.min(...stretches.map(({ fromMs }) => fromMs)),
    toMs: Math.max(...stretches.map(({ toMs }) => toMs)),
    ends: stretches.map(({ toMs }) => toMs),
    sha256: hashOfSeries(series, facts),
    synthetic: sets.some((set) => set.synthetic),
  };
}

/** Why a strategy of the day cannot trade symbols together; null where it can. */
function hoursMisfit({ needs }: Strategy, known: readonly KnownInstrument[]): string | null {
  const hours = new Set(known.map(({ calendar }) => calendar));
  return needs.includes("intraday") && hours.size > 1 ? "needs symbols that trade at the same hours" : null;
}

function muteNotes(mute: readonly Candles[]): string[] {
  if (mute.length === 0) return [];
  const symbols = mute.map(({ symbol }) => symbol).join(", ");
  return [`${symbols}: there are no volumes, so that fills of any size are taken for possible`];
}

/** Which strategies cannot decide at the first bars, there being too few before them. */
function coldNotes(chosen: readonly Chosen[], lead: readonly Known[]): string[] {
  return chosen.flatMap(({ strategy, values }) => {
    const needed = strategy.warmup(values);
    return lead.flatMap(({ candles: { symbol, time } }) =>
      time.length >= needed
        ? []
        : [
            `${symbol}: ${strategy.id} looks at ${needed} bars and there are ${time.length} before start_date, so that it decides nothing at the first ${needed - time.length} of the stretch`,
          ],
    );
  });
}

async function loadSets(
  { candles }: SeriesParts,
  chosen: readonly Chosen[],
  known: readonly KnownInstrument[],
  interval: Interval,
  { stretches, followed }: { readonly stretches: readonly Stretch[]; readonly followed: Following },
  limit: number,
): Promise<CandleSet[]> {
  const counts = known.map(({ calendar }, k) =>
    countBars(calendar, interval, stretches[k].fromMs, stretches[k].toMs, limit),
  );
  if (counts.reduce((a, b) => a + b, 0) > limit) {
    const detail = `body: more than ${limit} bars of ${interval} lie between start_date and end_date`;
    throw new AppError("invalid_request", detail);
  }
  const leadBars = chosen.reduce(
    (most, { strategy, values }) => Math.max(most, strategy.warmup(values)),
    followed === null ? LEAD_BARS : Math.max(LEAD_BARS, FEATURE_MEMORY),
  );
  const sets: CandleSet[] = [];
  for (const [i, instrument] of known.entries()) {
    const { fromMs, toMs, knownAtMs, closedByMs } = stretches[i];
    const leadMs = openBefore(calendarOf(instrument.calendar), interval, fromMs, leadBars);
    const most = Math.max(1, counts[i]) + leadBars;
    const from = Math.min(leadMs, fromMs);
    const loaded = await candles.loadRange(instrument, interval, from, toMs, most, knownAtMs);
    const set = closedByMs === undefined ? loaded : closedSet(loaded, closedByMs);
    const { time } = set.candles;
    if (time.length - lowerBound(time, fromMs) < 2) {
      const detail = `${instrument.symbol} has no ${interval} candles in that stretch, or one`;
      throw new AppError("no_data", detail);
    }
    sets.push(set);
  }
  return sets;
}

/** A set without the bars that close after a moment. */
function closedSet(set: CandleSet, closedByMs: number): CandleSet {
  const { time, interval } = set.candles;
  const calendar = calendarOf(set.instrument.calendar);
  let closed = time.length;
  while (closed > 0 && barClose(calendar, interval, time[closed - 1]) > closedByMs) closed--;
  return closed === time.length ? set : { ...set, candles: sliceCandles(set.candles, 0, closed) };
}

/** What stored chains said of each symbol, and what models say of its bars, where a strategy needs it. */
async function factsOf(
  parts: SeriesParts,
  chosen: readonly Chosen[],
  known: readonly KnownInstrument[],
  series: readonly Candles[],
  followed: Following,
): Promise<Facts[]> {
  const scores = followed === null ? [] : await scoresOf(parts, followed, known, series);
  const isChained = chosen.some(({ strategy }) => strategy.needs.includes("option_chain"));
  const facts: Facts[] = [];
  for (const [k, { interval, time }] of series.entries()) {
    const chains = isChained ? await parts.chainFacts.load(known[k], interval, time) : {};
    facts.push({ ...chains, ...scores[k] });
  }
  return facts;
}

async function benchmarkOf(parts: SeriesParts, order: RunFields, limit: number): Promise<BenchmarkOrder> {
  const { benchmark, interval } = order;
  if (benchmark === "hold" || benchmark === "none") return { kind: benchmark };
  const instrument = await parts.instruments.resolve(benchmark);
  const { calendar } = instrument;
  const { fromMs, toMs } = stretchOf(order, parts.now(), calendarOf(calendar));
  // Where it was closed at the first bar of the run, it is bought at the close before.
  const leadMs = openBefore(calendarOf(calendar), interval, fromMs, BENCHMARK_LEAD);
  const from = Math.min(leadMs, fromMs);
  const { candles } = await parts.candles.loadRange(instrument, interval, from, toMs, limit + BENCHMARK_LEAD);
  return { kind: "series", candles, calendar };
}

/** @param hasVolumes whether there are volumes of all symbols, which a share of can be taken. */
function termsOf(
  known: readonly KnownInstrument[],
  chosen: readonly Chosen[],
  order: RunFields,
  hasVolumes: boolean,
): RunTerms {
  const [first] = known;
  const { costs, sizing } = order;
  const same = known.every(({ calendar }) => calendar === first.calendar);
  const fractional = known.every(({ assetClass }) => assetClass === "crypto" || assetClass === "fx");
  const widest = Math.max(...known.map(({ assetClass }) => ROUND_TRIP_BPS[assetClass]));
  const shorts = chosen.some(
    ({ strategy, values }) => values.side === "both" || strategy.id === "pattern_trade",
  );
  return {
    currency: first.currency,
    capital: order.initial_capital,
    commissionBps: costs.commission_bps,
    commissionPerShare: costs.commission_per_share,
    spreadBps: costs.spread_bps ?? widest,
    slippageBps: costs.slippage_bps,
    volumeShare: hasVolumes ? costs.volume_share : null,
    sizing: sizing.kind ?? (fractional ? "fractional" : "whole"),
    share: sizing.share ?? null,
    account: order.account ?? (shorts ? "margin" : "cash"),
    closing: order.closing,
    calendar: same ? first.calendar : null,
    convention: order.convention,
    yearReturns: returnsPerYear(
      known.map(({ calendar }) => calendarOf(calendar)),
      order.interval,
    ),
    riskFree: order.risk_free_rate,
  };
}

/** Days since 1970-01-01 on which any of the symbols has a bar, ascending, as returns by day are of them. */
export function daysOf(series: readonly Candles[], terms: Pick<RunTerms, "calendar">): Int32Array {
  const dayAt = dayOf(terms);
  const days = new Set(series.flatMap(({ time }) => Array.from(daysOfTrack(time, dayAt).day)));
  return Int32Array.from(days).sort();
}

/** SHA-256 of symbols, intervals and columns, with what is known beside them, little-endian as every platform of Node is. */
export function hashOfSeries(series: readonly Candles[], facts: readonly Facts[] = []): string {
  const hash = createHash("sha256");
  for (const [k, candles] of series.entries()) {
    hash.update(`${candles.symbol} ${candles.interval} ${candles.time.length}\n`);
    for (const column of BAR_COLUMNS) hash.update(new Uint8Array(candles[column].slice().buffer));
    for (const [name, column] of Object.entries(facts[k] ?? {})) {
      hash.update(`${name}\n`).update(new Uint8Array(column.slice().buffer));
    }
  }
  return hash.digest("hex");
}
