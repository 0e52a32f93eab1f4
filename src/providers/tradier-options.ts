import { z } from "zod";
import { dateOf, parseDay } from "../core/market/day.js";
import type { Instrument } from "../core/market/instrument.js";
import type { ChainQuotes, OptionQuote, Right } from "../core/market/option-quote.js";
import type { HttpRequest } from "../platform/http-client.js";
import { payloadOf } from "./answer.js";
import { ProviderError } from "./define.js";
import { priceOrNull, requirePast } from "./price-time.js";
import { listOf, marketsRequest, nothing, type TradierAccess } from "./tradier-answer.js";
import { type TradierQuote, tradeTime } from "./tradier-quote.js";

const expirationsSchema = z.object({
  expirations: z.union([nothing.transform(() => ({ date: [] })), z.object({ date: listOf(z.string()) })]),
});

const amount = z.number().nullish();
/** Epoch ms. */
const stamp = z.number().nullish().catch(null);

const optionSchema = z.object({
  symbol: z.string(),
  strike: z.number(),
  last: amount,
  bid: amount,
  ask: amount,
  volume: amount,
  open_interest: amount,
  contract_size: amount,
  expiration_date: z.string().nullish(),
  option_type: z.string().nullish(),
  trade_date: stamp,
  bid_date: stamp,
  ask_date: stamp,
  greeks: z.object({ delta: amount, gamma: amount, theta: amount, vega: amount, mid_iv: amount }).nullish(),
});
const chainSchema = z.object({
  options: z.union([nothing.transform(() => ({ option: [] })), z.object({ option: listOf(optionSchema) })]),
});

type Option = z.output<typeof optionSchema>;

export function expirationsRequest(access: TradierAccess, vendorSymbol: string): HttpRequest {
  return marketsRequest(access, "options/expirations", {
    symbol: vendorSymbol,
    includeAllRoots: "true",
    strikes: "false",
  });
}

export function chainRequest(access: TradierAccess, vendorSymbol: string, expiry: number): HttpRequest {
  return marketsRequest(access, "options/chains", {
    symbol: vendorSymbol,
    expiration: dateOf(expiry),
    greeks: "true",
  });
}

/** Listed expiries in days since 1970-01-01, ascending; none for an underlying without options. */
export function expiriesOf(body: unknown): number[] {
  const { date } = payloadOf(expirationsSchema, body, "list of expirations").expirations;
  const days = date.map((text) => {
    const day = parseDay(text);
    if (day === null) throw new ProviderError("bad_payload", "an expiration is no date");
    return day;
  });
  return [...new Set(days)].sort((a, b) => a - b);
}

/**
 * All strikes of one expiry. Open interest and volume in contracts, volatility of the middle of bid and ask as a
 * fraction, theta a day, vega a point of volatility; greeks and volatility are an hour old at most. Contracts on
 * anything but 100 shares are left out: their roots have digits (AAPL7), and their strikes are not comparable.
 * The time is the newest of the legs, whatever that of the underlying; its own where none of the legs has one.
 * Where an index has contracts of two roots on one strike (SPX, SPXW), those of its own root stand.
 * @param underlying the quote of the underlying.
 * @throws {ProviderError} `bad_payload` for contracts on another underlying, of another expiry or strike.
 */
export function chainOf(
  body: unknown,
  of: { instrument: Instrument; vendorSymbol: string; expiry: number; underlying: TradierQuote },
  nowMs: number,
): ChainQuotes {
  const { option } = payloadOf(chainSchema, body, "chain of options").options;
  const root = of.vendorSymbol.replace("/", "");
  const legs = option
    .map((one) => ({ one, contract: contractOf(one) }))
    .filter(({ one, contract }) => isStandard(one, contract.root, root));
  // Those of the own root come last, and stand.
  legs.sort((a, b) => Number(a.contract.root === root) - Number(b.contract.root === root));
  const byLeg = new Map<string, { root: string; quotes: OptionQuote[] }>();
  for (const { one, contract } of legs) {
    const isOther =
      contract.expiry !== of.expiry || contract.strike !== one.strike || contradicts(one, contract);
    if (!contract.root.startsWith(root) || isOther) {
      throw new ProviderError("bad_payload", `${one.symbol.slice(0, 24)} is no contract of this chain`);
    }
    const key = `${contract.right} ${one.strike}`;
    const quote = quoteOf(one, of.expiry, contract.right);
    const known = byLeg.get(key);
    if (known?.root === contract.root) known.quotes.push(quote);
    else byLeg.set(key, { root: contract.root, quotes: [quote] });
  }
  const stamps = legs.flatMap(({ one }) => [one.trade_date, one.bid_date, one.ask_date]);
  const newestLeg = Math.max(0, ...stamps.map((time) => time ?? 0));
  const newest = newestLeg > 0 ? newestLeg : tradeTime(of.underlying) || 0;
  return {
    underlying: of.instrument.symbol,
    time: newest > 0 ? requirePast(newest, nowMs) : nowMs,
    spot: priceOrNull(of.underlying.last) ?? Number.NaN,
    quotes: [...byLeg.values()].flatMap(({ quotes }) => quotes),
  };
}

function quoteOf(one: Option, expiry: number, right: Right): OptionQuote {
  const { greeks } = one;
  return {
    expiry,
    strike: one.strike,
    right,
    last: one.last ?? null,
    bid: one.bid ?? null,
    ask: one.ask ?? null,
    volume: one.volume ?? null,
    openInterest: one.open_interest ?? null,
    volatility: greeks?.mid_iv ?? null,
    delta: greeks?.delta ?? null,
    gamma: greeks?.gamma ?? null,
    theta: greeks?.theta ?? null,
    vega: greeks?.vega ?? null,
  };
}

/** Whether what stands beside the symbol of a contract says something else than it. */
function contradicts(
  { expiration_date, option_type }: Option,
  { expiry, right }: { expiry: number; right: Right },
): boolean {
  if (typeof expiration_date === "string" && parseDay(expiration_date) !== expiry) return true;
  return typeof option_type === "string" && option_type !== right;
}

function isStandard(one: Option, contractRoot: string, root: string): boolean {
  if (typeof one.contract_size === "number" && one.contract_size !== 100) return false;
  return !(contractRoot.startsWith(root) && /\d$/.test(contractRoot.slice(root.length)));
}

/** What a contract's symbol says, as in AAPL150117C01000000. */
function contractOf({ symbol }: Option): { root: string; expiry: number; right: Right; strike: number } {
  const match = /^([A-Z0-9]{1,6}?)(\d{2})(\d{2})(\d{2})([CP])(\d{8})$/.exec(symbol);
  const expiry = match === null ? null : parseDay(`20${match[2]}-${match[3]}-${match[4]}`);
  if (match === null || expiry === null) {
    throw new ProviderError("bad_payload", `${symbol.slice(0, 24)} is no contract`);
  }
  return {
    root: match[1],
    expiry,
    right: match[5] === "C" ? "call" : "put",
    strike: Number(match[6]) / 1_000,
  };
}
