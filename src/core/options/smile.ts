import type { Right } from "../market/option-quote.js";
import { optionGreeks } from "./black-scholes.js";
import { type ExpiryRows, midPrice, nearestStrike, type OptionChain } from "./chain.js";
import { impliedVolatility, type NoVolatility } from "./implied-volatility.js";
import { type Measure, measured, unmeasured } from "./measure.js";

/** Which price of a leg its volatility is implied from. Last trades may be older than the spot they are held against. */
export type PriceSource = "mid" | "last";

export interface SmileInputs {
  readonly years: number;
  readonly rate: number;
  readonly dividendYield: number;
  readonly price: PriceSource;
}

/** Volatility and delta of the calls and puts of one expiry by strike, NaN where a price implies none. */
export interface Smile {
  readonly expiry: number;
  readonly years: number;
  readonly forward: number;
  readonly strike: Float64Array;
  readonly callVolatility: Float64Array;
  readonly putVolatility: Float64Array;
  readonly callDelta: Float64Array;
  readonly putDelta: Float64Array;
  /** Legs without a volatility by reason. */
  readonly missing: Readonly<Partial<Record<NoVolatility | "no price", number>>>;
}

/** The smile that the prices of an expiry imply; European options, for early exercise is worth something too. */
export function smileOf(chain: OptionChain, rows: ExpiryRows, inputs: SmileInputs): Smile {
  const { years, rate, dividendYield } = inputs;
  const missing: Partial<Record<NoVolatility | "no price", number>> = {};
  const length = rows.to - rows.from;
  const side = (right: Right) => {
    const legs = chain[right];
    const volatility = new Float64Array(length).fill(Number.NaN);
    const delta = new Float64Array(length).fill(Number.NaN);
    for (let i = 0; i < length; i++) {
      const row = rows.from + i;
      const price = inputs.price === "mid" ? midPrice(legs, row) : legs.last[row];
      const terms = { right, spot: chain.spot, strike: chain.strike[row], years, rate, dividendYield };
      // A last price of 0 is a leg that never traded.
      const implied = price > 0 ? impliedVolatility(terms, price) : null;
      if (implied?.volatility == null) {
        const reason = implied?.reason ?? "no price";
        missing[reason] = (missing[reason] ?? 0) + 1;
        continue;
      }
      volatility[i] = implied.volatility;
      delta[i] = optionGreeks(terms, implied.volatility).delta;
    }
    return { volatility, delta };
  };
  const call = side("call");
  const put = side("put");
  return {
    expiry: rows.expiry,
    years,
    forward: chain.spot * Math.exp((rate - dividendYield) * years),
    strike: chain.strike.slice(rows.from, rows.to),
    callVolatility: call.volatility,
    putVolatility: put.volatility,
    callDelta: call.delta,
    putDelta: put.delta,
    missing,
  };
}

/** No share yields more a year, or costs more to hold: what says so are prices of different times. */
const MOST_YIELD = 0.5;

/**
 * The dividend yield that put-call parity implies at the strike where call and put are worth most nearly the same:
 * forward = strike + e^(rate years) (call - put). Takes in whatever else makes holding the underlying cheap or dear.
 */
export function impliedDividendYield(
  chain: OptionChain,
  rows: ExpiryRows,
  { years, rate }: { readonly years: number; readonly rate: number },
): Measure {
  if (!(years > 0)) return unmeasured("no time left");
  if (Number.isNaN(chain.spot)) return unmeasured("spot is unknown");
  let least = Number.POSITIVE_INFINITY;
  let forward = Number.NaN;
  for (let row = rows.from; row < rows.to; row++) {
    const difference = midPrice(chain.call, row) - midPrice(chain.put, row);
    if (!(Math.abs(difference) < least)) continue;
    least = Math.abs(difference);
    forward = chain.strike[row] + Math.exp(rate * years) * difference;
  }
  if (!(forward > 0)) return unmeasured("no strike with bid and ask of call and put");
  const dividendYield = rate - Math.log(forward / chain.spot) / years;
  if (Math.abs(dividendYield) <= MOST_YIELD) return measured(dividendYield);
  return unmeasured(`put-call parity implies ${dividendYield.toPrecision(4)} a year, which no share yields`);
}

/** Volatility at the money: the mean of call and put, or the one there is, at the listed strike nearest the forward. */
export function atTheMoneyVolatility(smile: Smile): Measure {
  const row = nearestStrike(smile.strike, smile.forward);
  if (row < 0) return unmeasured("no strikes");
  const call = smile.callVolatility[row];
  const put = smile.putVolatility[row];
  if (Number.isNaN(call) && Number.isNaN(put))
    return unmeasured(`no volatility at strike ${smile.strike[row]}`);
  if (Number.isNaN(call)) return measured(put);
  return measured(Number.isNaN(put) ? call : 0.5 * (call + put));
}

/** Volatility at the money by expiry, in the order given. */
export interface TermPoint {
  readonly expiry: number;
  readonly years: number;
  readonly volatility: Measure;
}

export function termStructure(smiles: readonly Smile[]): TermPoint[] {
  return smiles.map((smile) => ({
    expiry: smile.expiry,
    years: smile.years,
    volatility: atTheMoneyVolatility(smile),
  }));
}

const THIRTY_DAYS = 30 / 365;

/**
 * Volatility at the money for a fixed time, by default thirty days: variance to expiry interpolated in time between
 * the nearest expiries on both sides (as Cboe's VIX does). Points in any order; those without a volatility do not count.
 */
export function constantMaturityVolatility(points: readonly TermPoint[], years = THIRTY_DAYS): Measure {
  let before: { years: number; variance: number } | null = null;
  let after: { years: number; variance: number } | null = null;
  for (const point of points) {
    if (point.volatility.value === null || !(point.years > 0)) continue;
    const known = { years: point.years, variance: point.volatility.value ** 2 * point.years };
    if (point.years <= years && (before === null || point.years > before.years)) before = known;
    if (point.years >= years && (after === null || point.years < after.years)) after = known;
  }
  if (before === null || after === null) {
    return unmeasured(`no expiries with a volatility on both sides of ${Math.round(years * 365)} days`);
  }
  const span = after.years - before.years;
  const share = span === 0 ? 0 : (years - before.years) / span;
  const variance = before.variance + share * (after.variance - before.variance);
  return variance > 0 ? measured(Math.sqrt(variance / years)) : unmeasured("variance is not above 0");
}
