import type { Right } from "../market/option-quote.js";
import { blackPrice } from "./black.js";
import { normalCdf, normalDensity } from "./normal.js";

/** A European option and the carry of its underlying. */
export interface OptionTerms {
  readonly right: Right;
  readonly spot: number;
  readonly strike: number;
  /** Time to expiry in years of 365 days. */
  readonly years: number;
  /** Continuously compounded and per year; 0.05 is 5 %. */
  readonly rate: number;
  /** Continuous dividend yield; the rate itself for an option on a future, the foreign rate for a currency. */
  readonly dividendYield: number;
}

/** What the terms come to at the present value of forward and strike. */
export interface Discounted {
  /** +1 for a call, -1 for a put. */
  readonly sign: 1 | -1;
  /** Present value of the forward and of the strike. */
  readonly forward: number;
  readonly strike: number;
  /** ln(forward / strike). */
  readonly moneyness: number;
  readonly intrinsic: number;
}

export function discount(terms: OptionTerms): Discounted {
  const sign = terms.right === "call" ? 1 : -1;
  const forward = terms.spot * Math.exp(-terms.dividendYield * terms.years);
  const strike = terms.strike * Math.exp(-terms.rate * terms.years);
  const moneyness = Math.log(terms.spot / terms.strike) + (terms.rate - terms.dividendYield) * terms.years;
  return { sign, forward, strike, moneyness, intrinsic: Math.max(0, sign * (forward - strike)) };
}

/**
 * Value of a European option (Black and Scholes 1973, Merton 1973), `volatility` per square root of a year.
 * The time value is computed by itself, so that it keeps its digits far from the money. NaN for NaN.
 */
export function optionPrice(terms: OptionTerms, volatility: number): number {
  const { forward, strike, moneyness, intrinsic } = discount(terms);
  const s = volatility * Math.sqrt(terms.years);
  if (s === 0) return intrinsic;
  return intrinsic + Math.sqrt(forward * strike) * blackPrice(-Math.abs(moneyness), s);
}

/** First and second derivatives of the price, each per unit of its variable. */
export interface Greeks {
  readonly price: number;
  readonly delta: number;
  readonly gamma: number;
  /** Per 1.00 of volatility; a hundredth of it is the change per volatility point. */
  readonly vega: number;
  /** Change as a year passes; `thetaPerDay` is a 365th of it. */
  readonly theta: number;
  readonly thetaPerDay: number;
  /** Per 1.00 of rate. */
  readonly rho: number;
  /** Per 1.00 of dividend yield. */
  readonly dividendRho: number;
  /** Percent change of the price per percent of spot. */
  readonly elasticity: number;
}

/** Greeks by the closed forms (Haug 1998, chapter 1). At expiry exactly at the money they are NaN: there are none. */
export function optionGreeks(terms: OptionTerms, volatility: number): Greeks {
  const { sign, forward, strike, moneyness } = discount(terms);
  const root = Math.sqrt(terms.years);
  const s = volatility * root;
  const d1 = moneyness / s + 0.5 * s;
  const density = normalDensity(d1);
  const forwardShare = forward * normalCdf(sign * d1);
  const strikeShare = strike * normalCdf(sign * (d1 - s));
  const delta = (sign * forwardShare) / terms.spot;
  // With no time left the density is 0 and so is what it multiplies, though it is divided by 0.
  const gamma = density === 0 ? 0 : (forward * density) / (terms.spot * terms.spot * s);
  const decay = density === 0 ? 0 : (forward * density * volatility) / (2 * root);
  const theta = sign * (terms.dividendYield * forwardShare - terms.rate * strikeShare) - decay;
  const price = optionPrice(terms, volatility);
  return {
    price,
    delta,
    gamma,
    vega: forward * density * root,
    theta,
    thetaPerDay: theta / 365,
    rho: sign * terms.years * strikeShare,
    dividendRho: -sign * terms.years * forwardShare,
    elasticity: (delta * terms.spot) / price,
  };
}
