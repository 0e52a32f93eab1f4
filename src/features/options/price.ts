import {
  type Greeks,
  type OptionTerms,
  optionGreeks,
  optionPrice,
} from "../../core/options/black-scholes.js";
import { impliedVolatility } from "../../core/options/implied-volatility.js";
import { type Measure, measured, unmeasured } from "../../core/options/measure.js";

/** A European option by the model: its price from a volatility, or its volatility from a price. */
export interface PricedOption {
  readonly price: number;
  readonly volatility: Measure;
  /** By how much rounding of the price alone can move the volatility; null where it was given or there is none. */
  readonly uncertainty: number | null;
  /** Null without a volatility, and at expiry exactly at the money, where there are none. */
  readonly greeks: Greeks | null;
}

export function priceOption(terms: OptionTerms, volatility: number): PricedOption {
  return {
    price: optionPrice(terms, volatility),
    volatility: measured(volatility),
    uncertainty: null,
    greeks: greeksOf(terms, volatility),
  };
}

export function volatilityOfPrice(terms: OptionTerms, price: number): PricedOption {
  const implied = impliedVolatility(terms, price);
  if (implied.volatility === null) {
    return { price, volatility: unmeasured(implied.reason), uncertainty: null, greeks: null };
  }
  const { volatility, uncertainty } = implied;
  return { price, volatility: measured(volatility), uncertainty, greeks: greeksOf(terms, volatility) };
}

function greeksOf(terms: OptionTerms, volatility: number): Greeks | null {
  const greeks = optionGreeks(terms, volatility);
  return Object.values(greeks).every((value) => Number.isFinite(value)) ? greeks : null;
}
