import type { AssetClass, Instrument } from "../../core/market/instrument.js";
import { calendarOf } from "../../core/market/session.js";
import type { Instruments } from "../../features/instruments/instruments.js";
import type { Search } from "../../features/instruments/search.js";
import type { KnownInstrument } from "../../features/instruments/store.js";
import { tradedIfAny } from "../../features/instruments/traded.js";
import { AppError } from "../../platform/errors.js";
import type { Gateway } from "../../providers/gateway.js";
import { multipliersOf, resolutionsOf } from "./resolutions.js";
import { sessionOf } from "./sessions.js";

export interface SearchWanted {
  /** Part of a symbol or a name, perhaps with an exchange before it; everything where it is empty. */
  readonly query: string;
  /** Type and exchange of the protocol; any where they are empty. */
  readonly type: string;
  readonly exchange: string;
  readonly limit: number;
}

export interface Symbols {
  /** The instrument that a text names, with or without its exchange. @throws {AppError} as instruments do. */
  resolve(text: string): Promise<KnownInstrument>;
  info(text: string): Promise<SymbolInfo>;
  search(wanted: SearchWanted): Promise<SymbolFound[]>;
  /** Exchanges and types of the instruments there are. */
  groups(): Promise<{ readonly exchanges: readonly string[]; readonly types: readonly string[] }>;
}

export type SymbolInfo = Awaited<ReturnType<typeof infoOf>>;
export type SymbolFound = ReturnType<typeof foundOf>;

export interface SymbolOptions {
  readonly instruments: Pick<Instruments, "identify" | "resolve" | "list">;
  readonly search: Search;
  readonly gateway: Pick<Gateway, "intervals" | "feedNowMs" | "synthetic">;
  readonly now: () => number;
}

const TYPES: Readonly<Record<AssetClass, string>> = {
  equity: "stock",
  etf: "fund",
  index: "index",
  crypto: "crypto",
  fx: "forex",
  commodity: "commodity",
};

/** Matches that are looked through for those of a type or an exchange. */
const MATCHES = 1_000;

export function createSymbols(options: SymbolOptions): Symbols {
  const { instruments, search, gateway } = options;
  const { synthetic } = gateway;

  /** A symbol as instruments take it: what follows an exchange that is its own. */
  function spelled(text: string): string {
    const [exchange, rest] = splitName(text);
    if (exchange === "") return text;
    try {
      const instrument = instruments.identify(rest);
      return instrument.exchange.toUpperCase() === exchange.toUpperCase() ? instrument.symbol : text;
    } catch (error) {
      if (error instanceof AppError) return text;
      throw error;
    }
  }

  const resolve = (text: string) => instruments.resolve(spelled(text));

  async function matching(text: string): Promise<readonly Instrument[]> {
    if (text === "") return instruments.list();
    const { matches } = await search.find(text, MATCHES);
    return matches.filter(({ hasCandles }) => hasCandles).map(({ instrument }) => instrument);
  }

  return {
    resolve,
    info: async (text) => infoOf(await resolve(text), options),
    async search({ query, type, exchange, limit }) {
      const fits = (instrument: Instrument) =>
        (type === "" || typeOf(instrument) === type.toLowerCase()) &&
        (exchange === "" || sameText(instrument.exchange, exchange));
      const [prefix, rest] = splitName(query);
      // What comes before a colon may be no exchange but part of a spelling, such as `X:BTCUSD`.
      const isNamed =
        prefix !== "" && (await instruments.list()).some((one) => sameText(one.exchange, prefix));
      const found = isNamed
        ? (await matching(rest)).filter((one) => sameText(one.exchange, prefix))
        : await matching(query);
      return found
        .filter(fits)
        .slice(0, limit)
        .map((instrument) => foundOf(instrument, synthetic));
    },
    async groups() {
      const all = await instruments.list();
      const unique = (texts: string[]) => [...new Set(texts)].sort();
      return { exchanges: unique(all.map(({ exchange }) => exchange)), types: unique(all.map(typeOf)) };
    },
  };
}

const sameText = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

/** Exchange and symbol of a full name; an empty exchange for a text without one. */
function splitName(text: string): readonly [exchange: string, symbol: string] {
  const colon = text.indexOf(":");
  return colon < 0 ? ["", text] : [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

function typeOf({ assetClass }: Pick<Instrument, "assetClass">): string {
  return TYPES[assetClass];
}

/** The name, which says of the synthetic market what it is. */
export function descriptionOf({ name }: Pick<Instrument, "name">, synthetic: boolean): string {
  return synthetic ? `${name} (synthetic)` : name;
}

function foundOf(instrument: Instrument, synthetic: boolean) {
  const { symbol, exchange } = instrument;
  return {
    symbol,
    full_name: `${exchange}:${symbol}`,
    description: descriptionOf(instrument, synthetic),
    exchange,
    ticker: symbol,
    type: typeOf(instrument),
  };
}

async function infoOf(instrument: KnownInstrument, { gateway, now }: Pick<SymbolOptions, "gateway" | "now">) {
  const { symbol, exchange, currency } = instrument;
  const intervals = gateway.intervals(instrument);
  const multipliers = multipliersOf(intervals);
  const nowMs = now();
  const has_daily = intervals.includes("1d");
  const reachedMs = intervals.length === 0 ? 0 : await gateway.feedNowMs(instrument, intervals[0]);
  return {
    name: symbol,
    ticker: symbol,
    full_name: `${exchange}:${symbol}`,
    description: descriptionOf(instrument, instrument.synthetic),
    type: typeOf(instrument),
    ...sessionOf(calendarOf(instrument.calendar), nowMs),
    exchange,
    listed_exchange: exchange,
    ...scaleOf(instrument),
    format: "price" as const,
    has_intraday: multipliers.length > 0,
    has_daily,
    has_weekly_and_monthly: has_daily && intervals.includes("1w"),
    intraday_multipliers: multipliers,
    supported_resolutions: resolutionsOf(intervals),
    volume_precision: instrument.assetClass === "crypto" ? 8 : 0,
    data_status: statusOf(multipliers.length > 0, nowMs - reachedMs),
    currency_code: currency,
  };
}

/** Bars of a source that keeps up with the clock are no further behind it than this. */
const PROMPT_MS = 60_000;

function statusOf(isIntraday: boolean, behindMs: number) {
  if (!isIntraday) return "endofday" as const;
  return behindMs > PROMPT_MS ? ("delayed_streaming" as const) : ("streaming" as const);
}

/** Hundredths for indices, and ten-thousandths for what has no tick here since it is not traded. */
const UNTRADED_SCALE: Readonly<Partial<Record<AssetClass, number>>> = { index: 100 };
const FINEST_UNTRADED = 10_000;

/** The tick as the protocol has it: so many of the parts that a unit has, 5 of 100 for 0.05. */
function scaleOf(instrument: Instrument): { readonly minmov: number; readonly pricescale: number } {
  const tick = tradedIfAny(instrument)?.tick;
  if (tick === undefined)
    return { minmov: 1, pricescale: UNTRADED_SCALE[instrument.assetClass] ?? FINEST_UNTRADED };
  let pricescale = 1;
  while (Math.abs(tick * pricescale - Math.round(tick * pricescale)) > 1e-9 || tick * pricescale < 0.5)
    pricescale *= 10;
  return { minmov: Math.round(tick * pricescale), pricescale };
}
