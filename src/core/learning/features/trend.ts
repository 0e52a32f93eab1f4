import { createColumn } from "../../base/columns.js";
import { linregSlope } from "../../indicators/statistics/linreg-slope.js";
import { adx } from "../../indicators/trend/adx.js";
import { aroon } from "../../indicators/trend/aroon.js";
import { windowMeans } from "../../regime/windows.js";
import { centred, distance, perScale, rise } from "./columns.js";
import { defineFeature, type Feature } from "./define.js";
import type { FeatureSeries } from "./series.js";

function mean(series: FeatureSeries, bars: number): Float64Array {
  return series.kept(`mean ${bars}`, () => windowMeans(series.logs.close, bars));
}

function meanFeature(bars: number, warmup = bars - 1): Feature {
  return defineFeature({
    id: `sma_${bars}_distance`,
    title: `Distance from the mean of ${bars} bars`,
    description: `Close above the mean of ${bars} closes, in logarithms, in average true ranges.`,
    unit: "range",
    warmup,
    signed: true,
    compute: (series) => distance(series.logs.close, mean(series, bars), series.range),
  });
}

/** Directional indexes: what rose per what moved. */
function spreads(series: FeatureSeries): Float64Array {
  const plus = series.indicator(adx, {}, 1);
  const minus = series.indicator(adx, {}, 2);
  const { length } = plus;
  const out = createColumn(length);
  for (let i = 0; i < length; i++) out[i] = (plus[i] - minus[i]) / 100;
  return out;
}

/** Where prices have been going. */
export const TREND: readonly Feature[] = [
  meanFeature(10, 14),
  meanFeature(20),
  meanFeature(50),
  meanFeature(200),
  defineFeature({
    id: "sma_20_50_spread",
    title: "Means of 20 and 50 bars",
    description: "Mean of 20 closes above that of 50, in logarithms, in average true ranges.",
    unit: "range",
    warmup: 49,
    signed: true,
    compute: (series) => distance(mean(series, 20), mean(series, 50), series.range),
  }),
  defineFeature({
    id: "sma_20_slope",
    title: "Slope of the mean of 20 bars",
    description: "Rise of the mean of 20 closes over 5 bars, in average true ranges a bar.",
    unit: "range",
    warmup: 24,
    signed: true,
    compute: (series) => perScale(rise(mean(series, 20), 5), series.range, 5),
  }),
  defineFeature({
    id: "line_50_slope",
    title: "Slope of the line through 50 bars",
    description: "Rise of the least squares line through 50 closes, in average true ranges a bar.",
    unit: "range",
    warmup: 49,
    signed: true,
    compute: (series) => perScale(series.indicator(linregSlope, { period: 50 }), series.range),
  }),
  defineFeature({
    id: "adx_14",
    title: "Average directional index",
    description: "Average directional index of 14 bars on logarithms, 0 to 1.",
    unit: "share",
    warmup: 27,
    compute: (series) => centred(series.indicator(adx), 0, 100),
  }),
  defineFeature({
    id: "di_spread_14",
    title: "Directional indexes",
    description: "Plus less minus directional index of 14 bars on logarithms, -1 to 1.",
    unit: "share",
    warmup: 14,
    signed: true,
    compute: spreads,
  }),
  defineFeature({
    id: "aroon_14",
    title: "Aroon oscillator",
    description: "How much later the highest high of 14 bars was than the lowest low, -1 to 1.",
    unit: "share",
    warmup: 14,
    signed: true,
    compute: (series) => centred(series.indicator(aroon, {}, 2), 0, 100),
  }),
];
