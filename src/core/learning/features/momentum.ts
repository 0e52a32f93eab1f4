import { createColumn } from "../../base/columns.js";
import { cci } from "../../indicators/momentum/cci.js";
import { cmo } from "../../indicators/momentum/cmo.js";
import { macd } from "../../indicators/momentum/macd.js";
import { tsi } from "../../indicators/momentum/tsi.js";
import { laggedBy, windowSums } from "../../regime/windows.js";
import { centred, over, perScale, placeInRange, rise, signOf } from "./columns.js";
import { defineFeature, type Feature } from "./define.js";
import type { FeatureSeries } from "./series.js";

/** Return of `bars` bars in units of the deviation that so many would have. */
function scaledReturn({ logs, volatility }: FeatureSeries, bars: number): Float64Array {
  return perScale(rise(logs.close, bars), volatility, Math.sqrt(bars));
}

function returnFeature(bars: number, warmup = 20): Feature {
  return defineFeature({
    id: `return_${bars}`,
    title: `Return, ${bars} ${bars === 1 ? "bar" : "bars"}`,
    description: `Logarithmic return of ${bars} bars per root of ${bars} and deviation of the last 20 returns.`,
    unit: "deviation",
    warmup,
    signed: true,
    compute: (series) => scaledReturn(series, bars),
  });
}

/** Chande's momentum by Wilder's averages: the relative strength index from -1 to 1, and 0 where nothing moved. */
function strengthFeature(period: number): Feature {
  return defineFeature({
    id: `rsi_${period}`,
    title: `Relative strength, ${period} bars`,
    description: `Relative strength index of ${period} bars on logarithms, -1 at 0 and 1 at 100.`,
    unit: "share",
    warmup: period,
    signed: true,
    compute: (series) => centred(series.indicator(cmo, { period }), 0, 100),
  });
}

const STREAK_BARS = 10;

/** Closes in a row that rose, or fell below 0, ten at most. */
function streaks({ returns }: FeatureSeries): Float64Array {
  const { length } = returns;
  const out = createColumn(length).fill(Number.NaN);
  let run = 0;
  for (let i = 1; i < length; i++) {
    const sign = signOf(returns[i]);
    run = sign * run > 0 ? run + sign * Number(Math.abs(run) < STREAK_BARS) : sign;
    if (i >= STREAK_BARS) out[i] = Number.isNaN(returns[i]) ? Number.NaN : run / STREAK_BARS;
  }
  return out;
}

function skews({ returns, volatility }: FeatureSeries): Float64Array {
  const { length } = returns;
  const cubes = createColumn(length);
  for (let i = 0; i < length; i++) cubes[i] = returns[i] * returns[i] * returns[i];
  const sums = windowSums(cubes, 20);
  for (let i = 0; i < length; i++) {
    const unit = over(1, volatility[i]);
    sums[i] *= (unit * unit * unit) / 20;
  }
  return sums;
}

function accelerations({ logs, volatility }: FeatureSeries): Float64Array {
  const now = rise(logs.close, 5);
  const before = laggedBy(now, 5);
  for (let i = 0; i < now.length; i++) now[i] -= before[i];
  return perScale(now, volatility, Math.sqrt(10));
}

/** Values without their signs. */
function sizes(values: Float64Array): Float64Array {
  const out = createColumn(values.length);
  for (let i = 0; i < out.length; i++) out[i] = Math.abs(values[i]);
  return out;
}

/** How far and how steadily prices have moved. */
export const MOMENTUM: readonly Feature[] = [
  ...[1, 5, 10, 20].map((bars) => returnFeature(bars)),
  returnFeature(60, 60),
  strengthFeature(14),
  strengthFeature(5),
  defineFeature({
    id: "acceleration_5",
    title: "Acceleration",
    description: "Return of 5 bars less that of the 5 before, per root of 10 and deviation of 20 returns.",
    unit: "deviation",
    warmup: 20,
    signed: true,
    compute: accelerations,
  }),
  defineFeature({
    id: "stochastic_14",
    title: "Place in the range of 14 bars",
    description: "Close between the lowest low (-1) and the highest high (1) of 14 bars, on logarithms.",
    unit: "share",
    warmup: 13,
    signed: true,
    compute: ({ logs }) => placeInRange(logs, 14),
  }),
  defineFeature({
    id: "macd_line",
    title: "MACD",
    description: "Average of 12 bars less that of 26, both exponential, in average true ranges.",
    unit: "range",
    warmup: 33,
    signed: true,
    compute: (series) => perScale(series.indicator(macd), series.range),
  }),
  defineFeature({
    id: "macd_histogram",
    title: "MACD histogram",
    description: "MACD less its exponential average of 9 bars, in average true ranges.",
    unit: "range",
    warmup: 33,
    signed: true,
    compute: (series) => perScale(series.indicator(macd, {}, 2), series.range),
  }),
  defineFeature({
    id: "cci_20",
    title: "Commodity channel",
    description: "Commodity channel index of 20 bars on logarithms, by hundreds.",
    unit: "ratio",
    warmup: 19,
    signed: true,
    compute: (series) => centred(series.indicator(cci), 0, 100),
  }),
  defineFeature({
    id: "tsi",
    title: "True strength",
    description: "True strength index of 25 and 13 bars on logarithms, -1 to 1.",
    unit: "share",
    warmup: 37,
    signed: true,
    compute: (series) => centred(series.indicator(tsi), 0, 100),
  }),
  defineFeature({
    id: "efficiency_20",
    title: "Efficiency",
    description: "Net move of 20 bars per sum of the moves, -1 to 1.",
    unit: "share",
    warmup: 20,
    signed: true,
    compute: ({ logs, returns }) => perScale(rise(logs.close, 20), windowSums(sizes(returns), 20)),
  }),
  defineFeature({
    id: "streak_10",
    title: "Closes in a row",
    description: "Closes in a row that rose, below 0 that fell, by tens and ten at most.",
    unit: "share",
    warmup: STREAK_BARS,
    signed: true,
    compute: streaks,
  }),
  defineFeature({
    id: "skew_20",
    title: "Skew",
    description: "Mean cube of 20 returns per cube of their deviation.",
    unit: "ratio",
    warmup: 20,
    signed: true,
    compute: skews,
  }),
];
