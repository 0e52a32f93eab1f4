import type { Rng } from "../core/base/rng.js";
import type { Instrument } from "../core/market/instrument.js";

export type Regime = "bull" | "bear" | "range" | "turbulent" | "quiet";

export interface RegimeTraits {
  /** Added to the log price each session, in daily volatilities. */
  readonly drift: number;
  readonly volatility: number;
  /** Share of the distance to the anchor price that is made good each session. */
  readonly pull: number;
  readonly volume: number;
  /** Mean length in sessions. */
  readonly length: number;
}

export const REGIMES: Readonly<Record<Regime, RegimeTraits>> = {
  bull: { drift: 0.16, volatility: 0.9, pull: 0, volume: 1, length: 45 },
  bear: { drift: -0.2, volatility: 1.25, pull: 0, volume: 1.25, length: 25 },
  range: { drift: 0, volatility: 0.8, pull: 0.12, volume: 0.9, length: 40 },
  turbulent: { drift: 0, volatility: 2, pull: 0.02, volume: 1.9, length: 12 },
  quiet: { drift: 0.03, volatility: 0.5, pull: 0.03, volume: 0.7, length: 30 },
};
export const REGIME_NAMES = Object.keys(REGIMES) as Regime[];

/** What sets one market apart from another. */
export interface Traits {
  readonly startPrice: number;
  /** Standard deviation of a session's log return in an ordinary regime. */
  readonly volatility: number;
  /** Share of a session's variance that falls into the pause before it, where there is one. */
  readonly gapShare: number;
  /** Chance of a jump in a session. */
  readonly jumpChance: number;
  /** Share of the variance that is common to all instruments of one calendar. */
  readonly commonShare: number;
  /** How much a falling market raises its volatility: minus the correlation of the two. */
  readonly leverage: number;
  /** 0 where there is none, as for an index. */
  readonly minuteVolume: number;
  /** Price steps in a unit: 100 for cents. */
  readonly stepsPerUnit: number;
  /** Variance and volume of a part of a session against the mean. @param share how much of it is over, 0..1. */
  readonly activity: (share: number) => number;
}

/** By the hour after 17:00 in New York: quiet at the turn of the day, liveliest while London and New York trade. */
const FX_HOURS = [
  ...[0.35, 0.45, 0.7, 0.8, 0.75, 0.65, 0.6, 0.65, 0.8, 1.1, 1.5, 1.5],
  ...[1.35, 1.2, 1.3, 1.7, 1.9, 1.85, 1.6, 1.2, 0.9, 0.75, 0.6, 0.45],
];
/** By the hour UTC. */
const CRYPTO_HOURS = [
  ...[1.05, 0.95, 0.9, 0.85, 0.8, 0.75, 0.75, 0.85, 0.95, 0.95, 0.95, 0.95],
  ...[1.05, 1.25, 1.45, 1.4, 1.3, 1.2, 1.1, 1.1, 1.05, 1, 0.9, 0.95],
];

/** Of an exchange: high at both ends, low in the middle. */
function exchangeActivity(share: number): number {
  const fromMiddle = 2 * share - 1;
  return 0.62 + 1.15 * fromMiddle * fromMiddle;
}

/** Hourly values with straight lines between their middles. */
function hourlyActivity(hours: readonly number[]): (share: number) => number {
  return (share) => {
    const place = share * hours.length - 0.5 + hours.length;
    const before = Math.floor(place);
    const part = place - before;
    return (1 - part) * hours[before % hours.length] + part * hours[(before + 1) % hours.length];
  };
}

const fxActivity = hourlyActivity(FX_HOURS);
const cryptoActivity = hourlyActivity(CRYPTO_HOURS);

/** The traits of an instrument, drawn within the bounds of its class. */
export function traitsOf({ assetClass, calendar, currency }: Instrument, rng: Rng): Traits {
  const between = (low: number, high: number) => low * (high / low) ** rng.next();
  const aroundTheClock = { gapShare: 0.12, leverage: 0, activity: fxActivity };
  const exchange = { gapShare: 0.25, leverage: 0.35, activity: exchangeActivity };
  const place = calendar === "FX" ? aroundTheClock : exchange;
  switch (assetClass) {
    case "crypto":
      return {
        startPrice: between(20, 40_000),
        volatility: between(0.028, 0.042),
        gapShare: 0,
        jumpChance: 0.03,
        commonShare: between(0.45, 0.65),
        leverage: 0,
        minuteVolume: between(5, 500),
        stepsPerUnit: 100,
        activity: cryptoActivity,
      };
    case "fx":
      return {
        ...aroundTheClock,
        startPrice: between(0.6, 1.6) * (currency === "JPY" ? 100 : 1),
        volatility: between(0.004, 0.006),
        jumpChance: 0.01,
        commonShare: 0.3,
        minuteVolume: between(200, 800),
        stepsPerUnit: currency === "JPY" ? 1_000 : 100_000,
      };
    case "index":
    case "etf":
      return {
        ...place,
        startPrice: assetClass === "index" ? between(2_000, 20_000) : between(40, 400),
        volatility: between(0.009, 0.012),
        jumpChance: 0.008,
        commonShare: between(0.75, 0.95),
        minuteVolume: assetClass === "index" ? 0 : between(20_000, 200_000),
        stepsPerUnit: 100,
      };
    default:
      return {
        ...place,
        startPrice: between(25, 400),
        volatility: between(0.012, 0.024),
        jumpChance: 0.02,
        commonShare: between(0.25, 0.5),
        minuteVolume: between(3_000, 120_000),
        stepsPerUnit: 100,
      };
  }
}
