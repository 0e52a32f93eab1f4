import type { z } from "zod";
import { ensure } from "../../core/base/assert.js";
import { isoTime } from "../../platform/http.js";
import type { CandleSet } from "../candles/candles.js";
import type { PricedQuote } from "../candles/quotes.js";
import { candleRows, provenanceOf } from "../candles/views.js";
import { trendOf, volatilityLevel } from "./conditions.js";
import type { Breadth, Figure, Indicators, Sectors } from "./overview.js";
import type {
  barsSchema,
  breadthSchema,
  conditionsSchema,
  fundSchema,
  indexSchema,
  indicatorsSchema,
  indicesSchema,
  lastQuoteSchema,
  moodSchema,
  sectorsSchema,
  statusSchema,
  vixSchema,
} from "./schema.js";
import type { MarketState } from "./status.js";

function factsView({ price, reason }: Figure) {
  return {
    source: price?.source ?? null,
    synthetic: price?.synthetic ?? false,
    as_of: price === null ? null : isoTime(price.time),
    stale: price?.stale ?? null,
    age_ms: price?.ageMs ?? null,
    reason,
  };
}

function fundView(figure: Figure): z.input<typeof fundSchema> {
  const { symbol, name, price } = figure;
  const changePercent = price?.changePercent ?? null;
  return {
    symbol,
    name,
    price: price?.price ?? null,
    change: price?.change ?? null,
    change_percent: changePercent,
    trend: changePercent === null ? null : trendOf(changePercent),
    ...factsView(figure),
  };
}

function vixView(figure: Figure): z.input<typeof vixSchema> {
  const { symbol, price } = figure;
  return {
    symbol,
    value: price?.price ?? null,
    change: price?.change ?? null,
    change_percent: price?.changePercent ?? null,
    level: price === null ? null : volatilityLevel(price.price),
    ...factsView(figure),
  };
}

function breadthView(breadth: Breadth, nowMs: number): z.input<typeof breadthSchema> {
  const { advancing, declining, unchanged, unavailable, share, reason, oldest } = breadth;
  return {
    advancing,
    declining,
    unchanged,
    unavailable,
    share,
    universe: "scanned symbols",
    source: joined(breadth.sources),
    synthetic: breadth.synthetic,
    as_of: oldest === null ? null : isoTime(oldest),
    stale: oldest === null ? null : breadth.stale,
    age_ms: oldest === null ? null : Math.max(0, nowMs - oldest),
    reason,
  };
}

export function indicatorsView(indicators: Indicators, nowMs: number): z.input<typeof indicatorsSchema> {
  const { vix, funds, breadth } = indicators;
  const byKey = new Map(funds.map((fund) => [fund.key, fundView(fund)]));
  const fund = (key: string) => ensure(byKey.get(key), key);
  return {
    vix: vixView(vix),
    indices: Object.fromEntries(byKey),
    "s&p_500": fund("s&p_500"),
    nasdaq: fund("nasdaq"),
    dow_jones: fund("dow_jones"),
    breadth: breadthView(breadth, nowMs),
    sentiment: moodView(indicators),
    source: sourcesOf(indicators),
  };
}

function moodView({ judgement: { mood, favorable, conditions } }: Indicators): z.input<typeof moodSchema> {
  return {
    overall: mood,
    score: favorable,
    conditions: conditions.length,
    reason: mood === null ? "no figure is known" : null,
  };
}

export function conditionsView(indicators: Indicators): z.input<typeof conditionsSchema> {
  const { vix, funds, breadth, judgement } = indicators;
  const unavailable = [vix, ...funds].flatMap(({ name, price, reason }) => {
    if (price === null) return [{ name, reason }];
    const told = price.changePercent !== null || name === vix.name;
    return told ? [] : [{ name, reason: "no close before" }];
  });
  if (breadth.reason !== null) unavailable.push({ name: "Breadth", reason: breadth.reason });
  const times = [vix, ...funds].flatMap(({ price }) => (price === null ? [] : [price.time]));
  if (breadth.oldest !== null) times.push(breadth.oldest);
  return {
    conditions: judgement.conditions.map((condition) => ({ ...condition })),
    unavailable,
    overallSentiment: judgement.mood,
    favorable_share: judgement.favorable,
    recommendedActions: [...judgement.actions],
    source: sourcesOf(indicators),
    as_of: times.length === 0 ? null : isoTime(Math.min(...times)),
    stale: judgement.conditions.some(({ stale }) => stale),
  };
}

function indexView(figure: Figure): z.input<typeof indexSchema> {
  const { symbol, name, price } = figure;
  return {
    symbol,
    name,
    last: price?.price ?? null,
    change: price?.change ?? null,
    changePercent: price?.changePercent ?? null,
    ...factsView(figure),
  };
}

export function indicesView(figures: readonly Figure[]): z.input<typeof indicesSchema> {
  const view = (key: string) =>
    indexView(
      ensure(
        figures.find((figure) => figure.key === key),
        key,
      ),
    );
  return {
    dow: view("dow"),
    nasdaq: view("nasdaq"),
    sp500: view("sp500"),
    source: joined(figures.flatMap(({ price }) => price?.source ?? [])),
  };
}

export function sectorsView({ ranked, leader, laggard }: Sectors): z.input<typeof sectorsSchema> {
  return {
    sectors: ranked.map((figure, i) => ({
      rank: figure.price?.changePercent == null ? null : i + 1,
      sector: figure.name,
      symbol: figure.symbol,
      price: figure.price?.price ?? null,
      change: figure.price?.change ?? null,
      change_percent: figure.price?.changePercent ?? null,
      ...factsView(figure),
    })),
    leader: leader?.symbol ?? null,
    laggard: laggard?.symbol ?? null,
    source: joined(ranked.flatMap(({ price }) => price?.source ?? [])),
  };
}

export function statusView(state: MarketState, nowMs: number): z.input<typeof statusSchema> {
  const { open, reason, session, nextChange } = state;
  return {
    state: open ? "open" : "closed",
    is_open: open,
    reason,
    next_change: nextChange === null ? null : isoTime(nextChange),
    description: describe(state),
    calendar: state.calendar,
    session:
      session === null
        ? null
        : {
            date: session.date,
            open: isoTime(session.open),
            close: isoTime(session.close),
            early: session.early,
          },
    known: state.known,
    source: "calendar",
    as_of: isoTime(nowMs),
  };
}

const WHY = {
  weekend: "closed over the weekend",
  holiday: "closed for a holiday",
  "before the open": "not open yet",
  "after the close": "closed for the day",
} as const;

function describe({ name, open, reason, session, nextChange }: MarketState): string {
  const next = nextChange === null ? "" : isoTime(nextChange);
  if (open) return `${name}: open until ${next}${session?.early === true ? ", earlier than usual" : ""}`;
  return `${name}: ${reason === null ? "closed" : WHY[reason]}${next === "" ? "" : `, opens ${next}`}`;
}

export function lastQuoteView(quote: PricedQuote): z.input<typeof lastQuoteSchema> {
  const { symbol, bid, ask, price, volume, time, source, synthetic, stale, ageMs } = quote;
  const timestamp = isoTime(time);
  return {
    symbol,
    bid,
    ask,
    last: price,
    volume,
    timestamp,
    source,
    synthetic,
    as_of: timestamp,
    stale,
    age_ms: ageMs,
  };
}

export function barsView(set: CandleSet): z.input<typeof barsSchema> {
  const { instrument, candles } = set;
  return {
    symbol: instrument.symbol,
    timeframe: candles.interval,
    bars: candleRows(set),
    ...provenanceOf(set),
  };
}

function sourcesOf({ vix, funds, breadth }: Indicators): string | null {
  return joined([...[vix, ...funds].flatMap(({ price }) => price?.source ?? []), ...breadth.sources]);
}

function joined(sources: readonly string[]): string | null {
  return sources.length === 0 ? null : [...new Set(sources)].join(", ");
}
