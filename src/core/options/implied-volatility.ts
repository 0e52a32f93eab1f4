import { blackInverse } from "./black-inverse.js";
import { discount, type OptionTerms } from "./black-scholes.js";
import { normalCdf, normalDensity } from "./normal.js";

/**
 * Why a price implies no volatility: an input that is no number or not positive, no time left, a price under the
 * discounted intrinsic value, one at or over what the option can be worth, one that is the intrinsic value and
 * nothing else, or one of which a double does not hold enough digits.
 */
export type NoVolatility =
  | "invalid input"
  | "no time left"
  | "below intrinsic value"
  | "above upper bound"
  | "no time value"
  | "not identifiable";

export type ImpliedVolatility =
  | {
      readonly volatility: number;
      /** By how much rounding of the price alone can move the volatility. */
      readonly uncertainty: number;
      /** Evaluations of the price the search took. */
      readonly evaluations: number;
      readonly reason: null;
    }
  | { readonly volatility: null; readonly reason: NoVolatility };

/** A volatility that one rounding of the price moves by more than this is no measurement. */
export const MAX_UNCERTAINTY = 1e-6;

/** Under this share of sqrt(forward x strike) a time value is nothing; a little further down doubles lose digits. */
const LEAST_TIME_VALUE = 1e-290;

/** The volatility at which a European option is worth its price, or why there is none. */
export function impliedVolatility(terms: OptionTerms, price: number): ImpliedVolatility {
  const { spot, strike, years, rate, dividendYield } = terms;
  // Comparisons with NaN are false.
  if (!(spot > 0 && strike > 0 && Number.isFinite(spot + strike + years + rate + dividendYield + price))) {
    return none("invalid input");
  }
  if (years <= 0) return none("no time left");
  const present = discount(terms);
  const upper = terms.right === "call" ? present.forward : present.strike;
  if (price >= upper) return none("above upper bound");
  const timeValue = price - present.intrinsic;
  const rounding = 2 * Number.EPSILON * Math.max(present.forward, present.strike);
  if (timeValue < -rounding || price < 0) return none("below intrinsic value");
  const x = -Math.abs(present.moneyness);
  const normalised = timeValue / Math.sqrt(present.forward * present.strike);
  if (!(normalised > LEAST_TIME_VALUE)) return none("no time value");
  if (normalised >= Math.exp(0.5 * x)) return none("above upper bound");

  const { s, evaluations } = blackInverse(x, normalised);
  const volatility = s / Math.sqrt(years);
  const d1 = present.moneyness / s + 0.5 * s;
  const terminal =
    price +
    present.forward * normalCdf(present.sign * d1) +
    present.strike * normalCdf(present.sign * (d1 - s));
  const vega = present.forward * normalDensity(d1) * Math.sqrt(years);
  const uncertainty = (Number.EPSILON * terminal) / vega;
  if (uncertainty > MAX_UNCERTAINTY) return none("not identifiable");
  return { volatility, uncertainty, evaluations, reason: null };
}

function none(reason: NoVolatility): ImpliedVolatility {
  return { volatility: null, reason };
}
