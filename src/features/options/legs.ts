import type { Right } from "../../core/market/option-quote.js";
import { optionGreeks } from "../../core/options/black-scholes.js";
import { midPrice, type OptionChain } from "../../core/options/chain.js";
import { impliedVolatility } from "../../core/options/implied-volatility.js";
import { type Measure, measured, unmeasured } from "../../core/options/measure.js";
import type { Pricing } from "./figures.js";

/** Volatility and greeks of one leg, and who says so. */
export interface LegValues {
  readonly volatility: Measure;
  readonly volatilityFrom: "source" | "price" | null;
  /** As vendors give them: theta a calendar day, vega a volatility point, rho a point of rate. Null without a volatility. */
  readonly greeks: LegGreeks | null;
  readonly greeksFrom: "source" | "model" | null;
}

export interface LegGreeks {
  readonly delta: number | null;
  readonly gamma: number | null;
  readonly theta: number | null;
  readonly vega: number | null;
  /** Null where the greeks are the source's, of which none tells it. */
  readonly rho: number | null;
}

const POINTS = 100;

/**
 * The source's own volatility and greeks where it has them; else the volatility that the price implies, or why it
 * implies none, and the greeks of the model (Black, Scholes and Merton: European exercise) at that volatility.
 */
export function legValues(chain: OptionChain, right: Right, row: number, pricing: Pricing): LegValues {
  const legs = chain[right];
  const own = legs.volatility[row];
  const volatility = Number.isNaN(own) ? impliedBy(chain, right, row, pricing) : measured(own);
  const volatilityFrom = volatility.value === null ? null : Number.isNaN(own) ? "price" : "source";
  if (!Number.isNaN(legs.delta[row])) {
    const greeks = {
      delta: legs.delta[row],
      gamma: known(legs.gamma[row]),
      theta: known(legs.theta[row]),
      vega: known(legs.vega[row]),
      rho: null,
    };
    return { volatility, volatilityFrom, greeks, greeksFrom: "source" };
  }
  if (volatility.value === null || Number.isNaN(chain.spot) || pricing.years <= 0) {
    return { volatility, volatilityFrom, greeks: null, greeksFrom: null };
  }
  const { delta, gamma, thetaPerDay, vega, rho } = optionGreeks(
    termsOf(chain, right, row, pricing),
    volatility.value,
  );
  const greeks = { delta, gamma, theta: thetaPerDay, vega: vega / POINTS, rho: rho / POINTS };
  return { volatility, volatilityFrom, greeks, greeksFrom: "model" };
}

function impliedBy(chain: OptionChain, right: Right, row: number, pricing: Pricing): Measure {
  const price = pricing.price === "mid" ? midPrice(chain[right], row) : chain[right].last[row];
  if (Number.isNaN(chain.spot)) return unmeasured("spot is unknown");
  if (!(price > 0)) {
    return unmeasured(pricing.price === "mid" ? "no bid and ask with a middle" : "no last price above 0");
  }
  const { volatility, reason } = impliedVolatility(termsOf(chain, right, row, pricing), price);
  return volatility === null ? unmeasured(reason) : measured(volatility);
}

function termsOf(chain: OptionChain, right: Right, row: number, pricing: Pricing) {
  const { years, rate, dividendYield } = pricing;
  return { right, spot: chain.spot, strike: chain.strike[row], years, rate, dividendYield };
}

/** NaN is what a source does not say. */
export function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
