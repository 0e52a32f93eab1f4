import { createColumn } from "../../base/columns.js";
import { bbands } from "../../indicators/volatility/bbands.js";
import { choppiness } from "../../indicators/volatility/choppiness.js";
import { keltner } from "../../indicators/volatility/keltner.js";
import { percentB } from "../../indicators/volatility/percent-b.js";
import { trueRange } from "../../indicators/volatility/true-range.js";
import { centred, distance, over, perScale, rootMeanSquare } from "./columns.js";
import { defineFeature, type Feature } from "./define.js";
import type { FeatureSeries } from "./series.js";

/** From the middle of Keltner's channel to its upper edge: two average ranges. */
function keltnerHalf(series: FeatureSeries): Float64Array {
  return series.kept("keltner half", () => {
    const upper = series.indicator(keltner);
    const middle = series.indicator(keltner, {}, 1);
    const half = createColumn(upper.length);
    for (let i = 0; i < half.length; i++) half[i] = upper[i] - middle[i];
    return half;
  });
}

function bollingerHalf(series: FeatureSeries): Float64Array {
  return series.kept("bollinger half", () => {
    const upper = series.indicator(bbands);
    const middle = series.indicator(bbands, {}, 1);
    const half = createColumn(upper.length);
    for (let i = 0; i < half.length; i++) half[i] = upper[i] - middle[i];
    return half;
  });
}

function trueRanges({ logs: { high, low, close } }: FeatureSeries): Float64Array {
  const out = createColumn(close.length).fill(Number.NaN, 0, 1);
  for (let i = 1; i < out.length; i++) out[i] = trueRange(high[i], low[i], close[i - 1]);
  return out;
}

/** Deviation that highs and lows tell (Parkinson 1980) per deviation of closes. */
function withinPerBetween(series: FeatureSeries): Float64Array {
  const { high, low } = series.logs;
  const heights = createColumn(high.length);
  for (let i = 0; i < heights.length; i++) heights[i] = high[i] - low[i];
  const within = rootMeanSquare(heights, 20);
  const { volatility } = series;
  for (let i = 0; i < within.length; i++) {
    within[i] = over(within[i], volatility[i]) / Math.sqrt(4 * Math.LN2);
  }
  return within;
}

/** How much prices move. */
export const VOLATILITY: readonly Feature[] = [
  defineFeature({
    id: "range_share",
    title: "Average true range",
    description: "Average true range of 14 bars in logarithms: as a share of the price.",
    unit: "share",
    warmup: 14,
    compute: ({ range }) => range.slice(),
  }),
  defineFeature({
    id: "volatility_5_20",
    title: "Volatility of 5 bars",
    description: "Deviation of 5 returns per that of 20.",
    unit: "ratio",
    warmup: 20,
    compute: ({ returns, volatility }) => perScale(rootMeanSquare(returns, 5), volatility),
  }),
  defineFeature({
    id: "volatility_20_100",
    title: "Volatility of 20 bars",
    description: "Deviation of 20 returns per that of 100.",
    unit: "ratio",
    warmup: 100,
    compute: ({ returns, volatility }) => perScale(volatility, rootMeanSquare(returns, 100)),
  }),
  defineFeature({
    id: "bar_range",
    title: "Range of the bar",
    description: "True range of the bar in average true ranges.",
    unit: "range",
    warmup: 14,
    compute: (series) => perScale(trueRanges(series), series.range),
  }),
  defineFeature({
    id: "bollinger_width",
    title: "Width of Bollinger's bands",
    description: "From the middle of 20 closes to the upper band, two deviations, in average true ranges.",
    unit: "range",
    warmup: 19,
    compute: (series) => perScale(bollingerHalf(series), series.range),
  }),
  defineFeature({
    id: "bollinger_position",
    title: "Place in Bollinger's bands",
    description: "Close between the lower band (-1) and the upper (1) of 20 closes.",
    unit: "share",
    warmup: 19,
    signed: true,
    compute: (series) => centred(series.indicator(percentB), 0.5, 0.5),
  }),
  defineFeature({
    id: "keltner_position",
    title: "Place in Keltner's channel",
    description:
      "Close between the lower edge (-1) and the upper (1): two ranges about an average of 20 bars.",
    unit: "share",
    warmup: 19,
    signed: true,
    compute: (series) => distance(series.logs.close, series.indicator(keltner, {}, 1), keltnerHalf(series)),
  }),
  defineFeature({
    id: "squeeze",
    title: "Squeeze",
    description: "Width of Bollinger's bands per that of Keltner's channel: a squeeze below 1.",
    unit: "ratio",
    warmup: 19,
    compute: (series) => perScale(bollingerHalf(series), keltnerHalf(series)),
  }),
  defineFeature({
    id: "choppiness_14",
    title: "Choppiness",
    description: "Choppiness index of 14 bars on logarithms, 0 to 1: 1 where prices went nowhere.",
    unit: "share",
    warmup: 14,
    compute: (series) => centred(series.indicator(choppiness), 0, 100),
  }),
  defineFeature({
    id: "range_per_close_volatility",
    title: "Volatility within bars",
    description: "Deviation by highs and lows of 20 bars per that by closes; Parkinson 1980.",
    unit: "ratio",
    warmup: 20,
    compute: withinPerBetween,
  }),
];
