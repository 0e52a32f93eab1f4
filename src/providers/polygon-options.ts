import { z } from "zod";
import { dateOf, parseDay } from "../core/market/day.js";
import type { OptionQuote } from "../core/market/option-quote.js";
import type { HttpAnswer, HttpRequest } from "../platform/http-client.js";
import {
  type Page,
  type PolygonAccess,
  pageOf,
  pathPart,
  polygonRequest,
  type Reading,
} from "./polygon-wire.js";
import { priceOrNull } from "./price-time.js";
import { epochMs, numeric, requireSymbol } from "./vendor-fields.js";

/** Chains of options on shares of US exchanges. */

const CONTRACT_ROWS = 1_000;
const CHAIN_ROWS = 250;
/** Contracts that deliver anything else were adjusted, and share their strikes with ordinary ones. */
const SHARES = 100;

/** Calls alone: every expiry has some. */
export function contractsRequest(access: PolygonAccess, ticker: string): HttpRequest {
  return polygonRequest(access, "/v3/reference/options/contracts", {
    underlying_ticker: ticker,
    contract_type: "call",
    expired: "false",
    order: "asc",
    sort: "expiration_date",
    limit: CONTRACT_ROWS,
  });
}

const expiry = z.string().transform((text, context) => {
  const day = parseDay(text);
  if (day !== null) return day;
  context.addIssue("is not a date");
  return z.NEVER;
});

const contractSchema = z.object({ underlying_ticker: z.string(), expiration_date: expiry });

/** Expiries of contracts, one for each. @throws {ProviderError} as `polygonBody`; `bad_payload` for another ticker. */
export function parseContracts(answer: HttpAnswer, ticker: string, reading: Reading): Page<number> {
  const { rows, nextUrl } = pageOf(contractSchema, answer, reading, "list of contracts");
  for (const row of rows) requireSymbol(row.underlying_ticker, ticker, reading.key);
  return { rows: rows.map((row) => row.expiration_date), nextUrl };
}

export function chainRequest(access: PolygonAccess, ticker: string, day: number): HttpRequest {
  return polygonRequest(access, `/v3/snapshot/options/${pathPart(ticker)}`, {
    expiration_date: dateOf(day),
    limit: CHAIN_ROWS,
  });
}

const legSchema = z.object({
  details: z.object({
    contract_type: z.string(),
    expiration_date: expiry,
    strike_price: z.number().positive(),
    shares_per_contract: z.number().optional(),
  }),
  day: z.object({ close: numeric, volume: numeric, last_updated: numeric }).nullish(),
  last_trade: z.object({ price: numeric }).nullish(),
  last_quote: z.object({ bid: numeric, ask: numeric, last_updated: numeric }).nullish(),
  greeks: z.object({ delta: numeric, gamma: numeric, theta: numeric, vega: numeric }).nullish(),
  implied_volatility: numeric,
  open_interest: numeric,
  underlying_asset: z.object({ ticker: z.string(), price: numeric, last_updated: numeric }),
});
type Leg = z.output<typeof legSchema>;

/** One leg, with what its answer says of the whole chain. */
export interface ChainRow {
  readonly quote: OptionQuote;
  /** Newest time of the leg itself, epoch ms; NaN where it has none. */
  readonly time: number;
  /** Of the price of the underlying, epoch ms; NaN where it has none. */
  readonly spotTime: number;
  /** NaN where the plan does not show it. */
  readonly spot: number;
}

/** @throws {ProviderError} as `polygonBody`; `bad_payload` for another ticker. */
export function parseChain(answer: HttpAnswer, ticker: string, reading: Reading): Page<ChainRow> {
  const { rows, nextUrl } = pageOf(legSchema, answer, reading, "chain of options");
  for (const row of rows) requireSymbol(row.underlying_asset.ticker, ticker, reading.key);
  return { rows: rows.flatMap((row) => rowOf(row) ?? []), nextUrl };
}

/** Null for contracts that were adjusted. */
function rowOf(leg: Leg): ChainRow | null {
  const { contract_type, expiration_date, strike_price, shares_per_contract = SHARES } = leg.details;
  if (shares_per_contract !== SHARES || !/^(call|put)$/.test(contract_type)) return null;
  const { day, last_trade, last_quote, greeks, underlying_asset } = leg;
  // Not the last trade's, which may be weeks old.
  const stamps = [last_quote?.last_updated, day?.last_updated]
    .map((stamp) => epochMs(stamp ?? Number.NaN))
    .filter(Number.isFinite);
  const quote: OptionQuote = {
    expiry: expiration_date,
    strike: strike_price,
    right: contract_type === "call" ? "call" : "put",
    last: priceOrNull(last_trade?.price) ?? priceOrNull(day?.close),
    bid: last_quote?.bid ?? null,
    ask: last_quote?.ask ?? null,
    volume: day?.volume ?? null,
    openInterest: leg.open_interest,
    volatility: priceOrNull(leg.implied_volatility),
    delta: greeks?.delta ?? null,
    gamma: greeks?.gamma ?? null,
    theta: greeks?.theta ?? null,
    vega: greeks?.vega ?? null,
  };
  return {
    quote,
    time: stamps.length === 0 ? Number.NaN : Math.max(...stamps),
    spotTime: epochMs(underlying_asset.last_updated),
    spot: underlying_asset.price,
  };
}
