import { createHash } from "node:crypto";
import { daysOfTime } from "../../core/backtest/track.js";
import { barOpensBetween } from "../../core/market/bar-times.js";
import { BAR_COLUMNS, type Candles, sharedCandles } from "../../core/market/candles.js";
import { INTERVAL_MS, type Interval } from "../../core/market/interval.js";
import { returnsPerYear } from "../../core/market/returns-per-year.js";
import { type CalendarId, calendarOf } from "../../core/market/session.js";
import { ROUND_TRIP_BPS } from "../../core/signals/levels.js";
import { lacksOf, scarceOf } from "../../core/strategies/define.js";
import type { Facts } from "../../core/strategies/facts.js";
import { AppError } from "../../platform/errors.js";
import { instantText } from "../../platform/http.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import type { Instruments } from "../instruments/instruments.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { ChainFacts } from "../options/chain-facts.js";
import { listingsOf } from "./listings.js";
import type { Chosen, RunFields } from "./order.js";
import type { BenchmarkOrder } from "./run-worker.js";
import { dayOf, type RunTerms } from "./terms.js";

/** The bars of a run, and the terms that follow from what is traded. */
export interface RunData {
  readonly sets: readonly CandleSet[];
  readonly series: readonly Candles[];
  /** What is known beside the bars of each symbol; nothing where no strategy needs it. */
  readonly facts: readonly Facts[];
  readonly terms: RunTerms;
  readonly benchmark: BenchmarkOrder;
  readonly fromMs: number;
  readonly toMs: number;
  /** SHA-256 over symbols, interval and all columns. */
  readonly sha256: string;
  readonly synthetic: boolean;
}

export interface SeriesParts {
  readonly candles: Pick<CandleService, "loadRange">;
  readonly instruments: Pick<Instruments, "resolve" | "identify">;
  readonly chainFacts: ChainFacts;
  readonly now: () => number;
}

const TWO_YEARS_MS = 2 * 365.25 * 86_400_000;
/** Markets that close trade for a sixth of the time at least. */
const LEAST_OPEN = 1 / 8;

/** @throws {AppError} `invalid_request` for an end that is not after the start. */
export function stretchOf(
  { start_date, end_date }: Pick<RunFields, "start_date" | "end_date">,
  nowMs: number,
): { fromMs: number; toMs: number } {
  const toMs = end_date === undefined ? nowMs : instantText.parse(end_date);
  const fromMs = start_date === undefined ? toMs - TWO_YEARS_MS : instantText.parse(start_date);
  if (fromMs >= toMs) throw new AppError("invalid_request", "body start_date: must lie before end_date");
  return { fromMs, toMs };
}

/** About how many bars lie in a stretch. */
export function countBars(
  calendar: CalendarId,
  interval: Interval,
  fromMs: number,
  toMs: number,
  most: number,
): number {
  const least = ((toMs - fromMs) / INTERVAL_MS[interval]) * LEAST_OPEN;
  return least > most
    ? Math.ceil(least)
    : barOpensBetween(calendarOf(calendar), interval, fromMs, toMs).length;
}

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
  const { fromMs, toMs } = stretchOf(order, parts.now());
  const known = await instrumentsOf(parts, symbols);
  const sets = await loadSets(parts, known, order.interval, { fromMs, toMs }, limit);
  // A job gives them to threads many times.
  const series = sets.map(({ candles }) => sharedCandles(candles));
  const facts = await factsOf(parts, chosen, known, series);
  for (const { strategy } of chosen) {
    const listings = listingsOf({ series, facts });
    const lacks = [...lacksOf(strategy, listings), ...scarceOf(strategy, listings)];
    if (lacks.length > 0) throw new AppError("strategy_unfit", `${strategy.id} ${lacks.join("; ")}`);
  }
  const benchmark = await benchmarkOf(parts, order, { fromMs, toMs }, limit);
  const synthetic = sets.some((set) => set.synthetic);
  const terms = termsOf(known, chosen, order);
  const sha256 = hashOfSeries(series, facts);
  return { sets, series, facts, terms, benchmark, fromMs, toMs, sha256, synthetic };
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
  const { fromMs, toMs } = stretchOf(order, now());
  let bars = 0;
  for (const symbol of symbols) {
    bars += countBars(instruments.identify(symbol).calendar, order.interval, fromMs, toMs, limit);
    if (bars <= limit) continue;
    const detail = `symbols x bars: more than ${limit} ${order.interval} bars in a job; ask for fewer symbols or less time`;
    throw new AppError("job_limit_exceeded", detail);
  }
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

async function loadSets(
  { candles }: SeriesParts,
  known: readonly KnownInstrument[],
  interval: Interval,
  { fromMs, toMs }: { fromMs: number; toMs: number },
  limit: number,
): Promise<CandleSet[]> {
  const counts = known.map(({ calendar }) => countBars(calendar, interval, fromMs, toMs, limit));
  if (counts.reduce((a, b) => a + b, 0) > limit) {
    const detail = `body: more than ${limit} bars of ${interval} lie between start_date and end_date`;
    throw new AppError("invalid_request", detail);
  }
  const sets: CandleSet[] = [];
  for (const [i, instrument] of known.entries()) {
    const set = await candles.loadRange(instrument, interval, fromMs, toMs, Math.max(1, counts[i]));
    if (set.candles.time.length < 2) {
      const detail = `${instrument.symbol} has no ${interval} candles in that stretch, or one`;
      throw new AppError("no_data", detail);
    }
    sets.push(set);
  }
  return sets;
}

/** What stored chains said of each symbol, where a strategy needs it. No model is active, so that none has a score. */
export async function factsOf(
  { chainFacts }: SeriesParts,
  chosen: readonly Chosen[],
  known: readonly KnownInstrument[],
  series: readonly Candles[],
): Promise<Facts[]> {
  if (!chosen.some(({ strategy }) => strategy.needs.includes("option_chain"))) return series.map(() => ({}));
  const facts: Facts[] = [];
  for (const [k, { interval, time }] of series.entries()) {
    facts.push(await chainFacts.load(known[k], interval, time));
  }
  return facts;
}

async function benchmarkOf(
  parts: SeriesParts,
  { benchmark, interval }: RunFields,
  { fromMs, toMs }: { fromMs: number; toMs: number },
  limit: number,
): Promise<BenchmarkOrder> {
  if (benchmark === "hold" || benchmark === "none") return { kind: benchmark };
  const instrument = await parts.instruments.resolve(benchmark);
  const { candles } = await parts.candles.loadRange(instrument, interval, fromMs, toMs, limit);
  return { kind: "series", candles };
}

function termsOf(known: readonly KnownInstrument[], chosen: readonly Chosen[], order: RunFields): RunTerms {
  const [first] = known;
  const { costs, sizing } = order;
  const same = known.every(({ calendar }) => calendar === first.calendar);
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
    sizing: sizing.kind,
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
  const days = new Set(series.flatMap(({ time }) => daysOfTime(time, dayAt)));
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
