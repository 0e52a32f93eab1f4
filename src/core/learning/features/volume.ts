import { createColumn } from "../../base/columns.js";
import { cmf } from "../../indicators/volume/cmf.js";
import { distance, over, rise, signOf, weightedMean } from "./columns.js";
import { defineFeature, type Feature } from "./define.js";
import type { FeatureSeries } from "./series.js";

/** Mean of the last bars' volume per mean of the last `far`; NaN where these have none. */
function volumeRatio(series: FeatureSeries, near: number, far: number): Float64Array {
  const now = near === 1 ? series.candles.volume : series.volumeSum(near);
  const total = series.volumeSum(far);
  const out = createColumn(total.length);
  for (let i = 0; i < out.length; i++) out[i] = total[i] > 0 ? (now[i] / near / total[i]) * far : Number.NaN;
  return out;
}

/** Volume of bars that rose less that of bars that fell, per volume of all. */
function balance(series: FeatureSeries, moves: Float64Array, bars: number): Float64Array {
  const signs = createColumn(moves.length);
  for (let i = 0; i < signs.length; i++) signs[i] = signOf(moves[i]);
  for (let i = 0; i < signs.length; i++) if (Number.isNaN(moves[i])) signs[i] = Number.NaN;
  return weightedMean(signs, series.candles.volume, bars, series.volumeSum(bars));
}

function typical(series: FeatureSeries): Float64Array {
  return series.kept("typical", () => {
    const { high, low, close } = series.logs;
    const out = createColumn(close.length);
    for (let i = 0; i < out.length; i++) out[i] = (high[i] + low[i] + close[i]) / 3;
    return out;
  });
}

/** Returns of 5 bars by the volume behind them, per mean volume of 20, in deviations. */
function force(series: FeatureSeries): Float64Array {
  const { returns, volatility, candles } = series;
  const out = weightedMean(returns, candles.volume, 5, series.volumeSum(20));
  for (let i = 0; i < out.length; i++) out[i] = over(20 * out[i], volatility[i] * Math.sqrt(5));
  return out;
}

/** `cmf` where there is volume: it says 0 where there is none. */
function flow(series: FeatureSeries): Float64Array {
  const total = series.volumeSum(20);
  const out = series.indicator(cmf).slice();
  for (let i = 0; i < out.length; i++) if (!(total[i] > 0)) out[i] = Number.NaN;
  return out;
}

const needs = "volume";

/** Who trades how much; NaN over bars that have no volume at all. */
export const VOLUME: readonly Feature[] = [
  defineFeature({
    id: "volume_ratio",
    title: "Volume of the bar",
    description: "Volume of the bar per mean of the last 20.",
    unit: "ratio",
    warmup: 19,
    needs,
    compute: (series) => volumeRatio(series, 1, 20),
  }),
  defineFeature({
    id: "volume_5_50",
    title: "Volume of 5 bars",
    description: "Mean volume of 5 bars per that of 50.",
    unit: "ratio",
    warmup: 49,
    needs,
    compute: (series) => volumeRatio(series, 5, 50),
  }),
  defineFeature({
    id: "obv_slope_20",
    title: "Slope of on-balance volume",
    description: "Rise of on-balance volume over 20 bars per their volume, -1 to 1.",
    unit: "share",
    warmup: 20,
    signed: true,
    needs,
    compute: (series) => balance(series, series.returns, 20),
  }),
  defineFeature({
    id: "money_flow_14",
    title: "Flow of volume",
    description: "Volume of 14 bars whose typical price rose less that of those whose fell, per all of it.",
    unit: "share",
    warmup: 14,
    signed: true,
    needs,
    compute: (series) => balance(series, rise(typical(series), 1), 14),
  }),
  defineFeature({
    id: "cmf_20",
    title: "Chaikin's money flow",
    description: "Place of closes in their bars, -1 to 1, weighted by volume over 20 bars, on logarithms.",
    unit: "share",
    warmup: 19,
    signed: true,
    needs,
    compute: flow,
  }),
  defineFeature({
    id: "force_5",
    title: "Force",
    description:
      "Sum of 5 returns, each times the volume of its bar per mean of 20, per root of 5 and deviation.",
    unit: "deviation",
    warmup: 20,
    signed: true,
    needs,
    compute: force,
  }),
  defineFeature({
    id: "vwap_20_distance",
    title: "Distance from the traded mean",
    description: "Close above the mean of 20 typical prices weighted by volume, in average true ranges.",
    unit: "range",
    warmup: 19,
    signed: true,
    needs,
    compute: (series) => {
      const traded = weightedMean(typical(series), series.candles.volume, 20, series.volumeSum(20));
      return distance(series.logs.close, traded, series.range);
    },
  }),
];
