import { createColumn } from "../../base/columns.js";
import { REGIME_WARMUP, REGIMES, type Regime, UNKNOWN } from "../../regime/define.js";
import { defineFeature, type Feature } from "./define.js";
import type { FeatureSeries } from "./series.js";

function flags({ regimes: { label } }: FeatureSeries, regime: Regime): Float64Array {
  const wanted = REGIMES.indexOf(regime);
  const out = createColumn(label.length);
  // A number that may be whole or NaN would be an object of its own, bar by bar.
  for (let i = 0; i < out.length; i++) if (label[i] === wanted) out[i] = 1;
  for (let i = 0; i < out.length; i++) if (label[i] === UNKNOWN) out[i] = Number.NaN;
  return out;
}

function flagFeature(id: string, regime: Regime, words: string, opposite?: string): Feature {
  return defineFeature({
    id: `regime_${id}`,
    title: `Regime: ${words}`,
    description: `Whether the regime is ${regime}.`,
    unit: "flag",
    warmup: REGIME_WARMUP,
    ...(opposite === undefined ? {} : { opposite: `regime_${opposite}` }),
    compute: (series) => flags(series, regime),
  });
}

const LONGEST = 100;

/** The state of the market, by the labels that trades are filed under. */
export const REGIME: readonly Feature[] = [
  flagFeature("trend_with", "trending_bull", "trend with the trade", "trend_against"),
  flagFeature("trend_against", "trending_bear", "trend against the trade", "trend_with"),
  flagFeature("ranging", "ranging", "range"),
  flagFeature("high_volatility", "high_volatility", "high volatility"),
  flagFeature("low_volatility", "low_volatility", "low volatility"),
  flagFeature("breakout", "breakout", "breakout"),
  flagFeature("reversal", "reversal", "reversal"),
  flagFeature("flow_with", "accumulation", "volume with the trade", "flow_against"),
  flagFeature("flow_against", "distribution", "volume against the trade", "flow_with"),
  defineFeature({
    id: "regime_trend",
    title: "Trend of the regime",
    description:
      "Mean of slope, efficiency and directional index, each as a share of a strong trend, -1 to 1.",
    unit: "share",
    warmup: 50,
    signed: true,
    compute: ({ regimes }) => regimes.measures.trend.slice(),
  }),
  defineFeature({
    id: "regime_volatility_rank",
    title: "Rank of volatility",
    description: "Place of the volatility of 20 bars among those of the last 252, 0 to 1.",
    unit: "share",
    warmup: REGIME_WARMUP - 2,
    compute: ({ regimes }) => regimes.measures.volatility_rank.slice(),
  }),
  defineFeature({
    id: "regime_age",
    title: "Age of the regime",
    description: "Bars that the regime has lasted, by hundreds and a hundred at most.",
    unit: "share",
    warmup: REGIME_WARMUP,
    compute: ({ regimes: { duration } }) => {
      const out = createColumn(duration.length).fill(Number.NaN);
      for (let i = 0; i < out.length; i++)
        if (duration[i] !== 0) out[i] = Math.min(duration[i], LONGEST) / LONGEST;
      return out;
    },
  }),
];
