import type { Regime, VolatilityLevel } from "../../core/regime/define.js";

/** What traders commonly do in a regime: rules of thumb, whose worth is not measured here. */
export interface Advice {
  readonly implications: readonly string[];
  readonly strategies: readonly string[];
}

export const ADVICE: Readonly<Record<Regime, Advice>> = {
  trending_bull: {
    implications: ["Signals with the rise have the trend on their side; those against it do not"],
    strategies: ["trend_following", "pullback_buying", "momentum"],
  },
  trending_bear: {
    implications: ["Signals with the fall have the trend on their side; those against it do not"],
    strategies: ["trend_following_short", "rally_selling", "hedging"],
  },
  ranging: {
    implications: ["Moves tend to end at the edges of the range until one is broken"],
    strategies: ["mean_reversion", "range_trading", "premium_selling"],
  },
  high_volatility: {
    implications: [
      "The same stop in average true ranges is wider in price, so positions of the same risk are smaller",
    ],
    strategies: ["smaller_positions", "volatility_breakout", "hedging"],
  },
  low_volatility: {
    implications: ["Quiet markets do not stay so for ever: narrow stops are hit when they end"],
    strategies: ["breakout_preparation", "carry", "premium_buying"],
  },
  breakout: {
    implications: ["The edge that was left is where a failed breakout would come back through"],
    strategies: ["breakout", "momentum"],
  },
  reversal: {
    implications: [
      "The move before has been taken back in part; signals with it are against the newest bars",
    ],
    strategies: ["reversal", "reduced_exposure"],
  },
  accumulation: {
    implications: ["Volume is on the side of buyers while prices stand"],
    strategies: ["range_trading", "breakout_preparation"],
  },
  distribution: {
    implications: ["Volume is on the side of sellers while prices stand"],
    strategies: ["range_trading", "profit_taking", "hedging"],
  },
};

export const RISK_LEVELS = ["low", "medium", "high", "extreme"] as const;
export type RiskLevel = (typeof RISK_LEVELS)[number];

const RISKS: Readonly<Record<Regime, RiskLevel>> = {
  trending_bull: "medium",
  trending_bear: "high",
  ranging: "low",
  high_volatility: "high",
  low_volatility: "low",
  breakout: "medium",
  reversal: "high",
  accumulation: "low",
  distribution: "medium",
};

/** The risk of the regime, or the level of volatility where that is high or extreme and more. */
export function riskOf(regime: Regime, level: VolatilityLevel): RiskLevel {
  if (level === "extreme") return "extreme";
  return level === "high" ? "high" : RISKS[regime];
}

export const STRENGTHS = ["weak", "moderate", "strong"] as const;

/** How well a label fits, in words: strong from 0.7, moderate from 0.4. */
export function strengthOf(fit: number): (typeof STRENGTHS)[number] {
  if (fit >= 0.7) return "strong";
  return fit >= 0.4 ? "moderate" : "weak";
}
