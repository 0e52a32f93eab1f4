import type { z } from "zod";
import { dateOf } from "../../core/market/day.js";
import type { OptionQuote, Right } from "../../core/market/option-quote.js";
import { LEG_COLUMNS } from "../../core/market/option-quote.js";
import { type ExpiryRows, type OptionChain, selectRows } from "../../core/options/chain.js";
import { type FilteredChain, type FilterRules, filterChain } from "../../core/options/filter.js";
import {
  type PutCallRatio,
  type Totals,
  totalsProblem,
  type Wall,
} from "../../core/options/open-interest.js";
import type { Issue } from "../../core/quality/issue.js";
import { isoTime } from "../../platform/http.js";
import type { ExpiryCalendar } from "./calendar.js";
import type { ChainFigures, ExpiryFigures, Pricing } from "./figures.js";
import { known, legValues } from "./legs.js";
import type { ReadChain } from "./loading.js";
import type { RankedVolatility } from "./options.js";
import type { PricedOption } from "./price.js";
import {
  type analyticsSchema,
  type chainSchema,
  type expiriesSchema,
  FIGURE_NAMES,
  type figuresSchema,
  type historyRowSchema,
  type loadedSchema,
  type pricedSchema,
  type recordedBody,
  type snapshotSchema,
} from "./schema.js";
import type { LoadedChain } from "./snapshots.js";
import type { HistoryRow, SnapshotHeader } from "./store.js";

/** Rejected legs that are named. */
const NAMED_REJECTIONS = 100;

export function chainView(
  read: ReadChain,
  rows: ExpiryRows,
  pricing: Pricing,
  rules: FilterRules | null,
): z.input<typeof chainSchema> {
  const own = selectRows(
    read.chain,
    Array.from({ length: rows.to - rows.from }, (_, i) => rows.from + i),
  );
  const filtered = rules === null ? null : filterChain(own, rules);
  const shown = filtered?.chain ?? own;
  return {
    ...factsView(read),
    expiry: dateOf(rows.expiry),
    previous_oi_from: read.previousFrom,
    pricing: pricingView(pricing),
    filter: rules === null || filtered === null ? null : filterView(rules, filtered),
    filter_reason: rules === null ? "not asked for" : filtered === null ? "spot is unknown" : null,
    strikes: Array.from(shown.strike, (strike, row) => ({
      strike,
      call: legView(shown, "call", row, pricing),
      put: legView(shown, "put", row, pricing),
    })),
  };
}

function legView(chain: OptionChain, right: Right, row: number, pricing: Pricing) {
  const legs = chain[right];
  if (LEG_COLUMNS.every((name) => Number.isNaN(legs[name][row]))) return null;
  const { volatility, volatilityFrom, greeks, greeksFrom } = legValues(chain, right, row, pricing);
  return {
    ltp: known(legs.last[row]),
    bid: known(legs.bid[row]),
    ask: known(legs.ask[row]),
    volume: known(legs.volume[row]),
    oi: known(legs.openInterest[row]),
    prev_oi: known(legs.previousOpenInterest[row]),
    oi_change: known(legs.openInterest[row] - legs.previousOpenInterest[row]),
    iv: volatility.value,
    iv_from: volatilityFrom,
    iv_reason: volatility.reason,
    delta: greeks?.delta ?? null,
    gamma: greeks?.gamma ?? null,
    theta: greeks?.theta ?? null,
    vega: greeks?.vega ?? null,
    greeks_from: greeksFrom,
  };
}

function filterView(rules: FilterRules, { original, filtered, kept, dropped }: FilteredChain) {
  return {
    rules: {
      within: rules.within,
      always_within: rules.alwaysWithin,
      min_oi: rules.minOpenInterest,
      min_volume: rules.minVolume,
      volume_waived_within: rules.volumeWaivedWithin,
    },
    original,
    filtered,
    kept: { near_money: kept.nearMoney, near_enough: kept.nearEnough, traded: kept.traded },
    dropped: { distance: dropped.distance, oi: dropped.openInterest, volume: dropped.volume },
  };
}

const issuesView = (issues: readonly Issue[]) =>
  issues.map(({ code, severity, detail, count }) => ({ code, severity, detail, count }));

function factsView({ underlying, chain, issues, source, loaded, stale, ageMs, trouble }: ReadChain) {
  return {
    symbol: underlying.symbol,
    name: underlying.name,
    spot: known(chain.spot),
    source,
    synthetic: false as const,
    loaded,
    as_of: isoTime(chain.time),
    stale,
    age_ms: ageMs,
    trouble,
    issues: issuesView(issues),
  };
}

function pricingView(pricing: Pricing): z.input<typeof figuresSchema>["pricing"] {
  return {
    cut_off: isoTime(pricing.cutOff.time),
    cut_off_from: pricing.cutOff.from,
    years: pricing.years,
    rate: pricing.rate,
    rate_from: pricing.rateFrom,
    dividend_yield: pricing.dividendYieldFrom === "none" ? null : pricing.dividendYield,
    dividend_yield_from: pricing.dividendYieldFrom,
    dividend_yield_reason: pricing.dividendYieldReason,
    price: pricing.price,
    model: "Black-Scholes-Merton, European exercise",
  };
}

function totalsView(totals: Totals) {
  return {
    call_oi: totals.callOpenInterest,
    put_oi: totals.putOpenInterest,
    call_volume: totals.callVolume,
    put_volume: totals.putVolume,
    unknown_oi: totals.unknownOpenInterest,
    unknown_volume: totals.unknownVolume,
    reason: totalsProblem(totals),
  };
}

const ratioView = ({ openInterest, volume }: PutCallRatio) => ({ oi: openInterest, volume });

const wallView = (wall: Wall | null) =>
  wall === null ? null : { strike: wall.strike, oi: wall.openInterest, times_mean: wall.timesMean };

function figuresView(figures: ExpiryFigures): z.input<typeof figuresSchema> {
  return {
    expiry: dateOf(figures.expiry),
    strikes: figures.strikes,
    pricing: pricingView(figures.pricing),
    totals: totalsView(figures.totals),
    pcr: ratioView(figures.ratio),
    max_pain: figures.maxPain,
    oi_change: figures.change,
    support: wallView(figures.walls.support),
    resistance: wallView(figures.walls.resistance),
    atm_iv: figures.atTheMoney,
    iv_skew: { risk_reversal: figures.riskReversal, ratio: figures.volatilityRatio },
    without_iv: Object.fromEntries(Object.entries(figures.missing)),
  };
}

export function analyticsView(
  read: ReadChain,
  figures: ChainFigures,
  selected: ExpiryFigures,
  ranked: RankedVolatility,
): z.input<typeof analyticsSchema> {
  return {
    ...factsView(read),
    previous_oi_from: read.previousFrom,
    totals: totalsView(figures.totals),
    pcr: ratioView(figures.ratio),
    expiries_read: figures.byExpiry.length,
    expiries_listed: read.listed,
    selected: figuresView(selected),
    by_expiry: figures.byExpiry.map(figuresView),
    iv_30d: figures.thirtyDay,
    iv_rank: {
      rank: ranked.rank,
      percentile: ranked.percentile,
      sessions: ranked.count,
      sessions_needed: ranked.needed,
    },
  };
}

export function expiriesView(calendar: ExpiryCalendar): z.input<typeof expiriesSchema> {
  return {
    symbol: calendar.underlying.symbol,
    calendar: calendar.underlying.calendar,
    expiries:
      calendar.expiries?.map((expiry) => ({
        date: dateOf(expiry.day),
        nominal: dateOf(expiry.nominal),
        last_session: dateOf(expiry.lastSession),
        cut_off: isoTime(expiry.cutOff),
        kind: expiry.kind,
        provisional: expiry.provisional,
      })) ?? null,
    listed: calendar.listed?.map(dateOf) ?? null,
    listed_source: calendar.listedSource,
    listed_reason: calendar.listedReason,
    holidays: calendar.holidays.map(dateOf),
    early_closes: calendar.earlyCloses.map(({ day, close }) => ({
      date: dateOf(day),
      close: isoTime(close),
    })),
    weekend_sessions: calendar.weekendSessions.map(dateOf),
    known_until: dateOf(calendar.knownUntilDay),
  };
}

export function snapshotView(header: SnapshotHeader): z.input<typeof snapshotSchema> {
  return {
    as_of: isoTime(header.time),
    session: dateOf(header.session),
    spot: header.spot,
    source: header.source,
    loaded: header.loaded,
    legs: header.legs,
    call_oi: header.callOpenInterest,
    put_oi: header.putOpenInterest,
    call_volume: header.callVolume,
    put_volume: header.putVolume,
    iv_30d: header.thirtyDayVolatility,
    rate: header.rate,
    kept: header.kept,
  };
}

export function historyRowView(row: HistoryRow): z.input<typeof historyRowSchema> {
  return {
    as_of: isoTime(row.time),
    spot: row.spot,
    source: row.source,
    loaded: row.loaded,
    expiry: dateOf(row.expiry),
    years: row.years,
    call_oi: row.callOpenInterest,
    put_oi: row.putOpenInterest,
    pcr: ratioOf(row),
    call_volume: row.callVolume,
    put_volume: row.putVolume,
    call_oi_change: row.callChange,
    put_oi_change: row.putChange,
    max_pain: row.maxPain,
    support: row.support,
    resistance: row.resistance,
    atm_iv: row.atTheMoney,
    risk_reversal: row.riskReversal,
    iv_ratio: row.volatilityRatio,
  };
}

function ratioOf({ callOpenInterest, putOpenInterest }: HistoryRow): number | null {
  if (callOpenInterest === null || putOpenInterest === null || callOpenInterest === 0) return null;
  return putOpenInterest / callOpenInterest;
}

/** A leg of a request as the core names it. */
export function quoteOf(leg: z.output<typeof recordedBody>["quotes"][number]): OptionQuote {
  const { expiry, strike, right } = leg;
  const figures = LEG_COLUMNS.map((name) => [name, leg[FIGURE_NAMES[name]] ?? null] as const);
  return { expiry, strike, right, ...Object.fromEntries(figures) };
}

export function loadedView(loaded: LoadedChain): z.input<typeof loadedSchema> {
  return {
    symbol: loaded.underlying.symbol,
    as_of: isoTime(loaded.chain.time),
    source: loaded.source,
    stored: loaded.stored,
    legs: loaded.legs,
    strikes: loaded.chain.strike.length,
    expiries: loaded.chain.expiries.map(({ expiry }) => dateOf(expiry)),
    issues: issuesView(loaded.issues),
    rejected_count: loaded.rejected.length,
    rejected: loaded.rejected.slice(0, NAMED_REJECTIONS).map(({ index, quote, reason }) => ({
      index,
      expiry: dateOf(quote.expiry),
      strike: quote.strike,
      right: quote.right,
      reason,
    })),
  };
}

export function pricedView({
  price,
  volatility,
  uncertainty,
  greeks,
}: PricedOption): z.input<typeof pricedSchema> {
  if (greeks === null) return { price, volatility, uncertainty, greeks };
  const { delta, gamma, vega, theta, thetaPerDay, rho, dividendRho, elasticity } = greeks;
  const named = { theta_per_day: thetaPerDay, dividend_rho: dividendRho };
  return { price, volatility, uncertainty, greeks: { delta, gamma, vega, theta, rho, elasticity, ...named } };
}
