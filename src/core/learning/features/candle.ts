import { createColumn } from "../../base/columns.js";
import { windowHighest, windowLowest, windowSums } from "../../regime/windows.js";
import { over, perScale } from "./columns.js";
import { defineFeature, type Feature } from "./define.js";
import type { FeatureSeries } from "./series.js";

/** Each value less that of another column. */
function less(values: Float64Array, others: Float64Array): Float64Array {
  const out = createColumn(values.length);
  for (let i = 0; i < out.length; i++) out[i] = values[i] - others[i];
  return out;
}

/** Heights of bars. */
function heights(series: FeatureSeries): Float64Array {
  return series.kept("heights", () => less(series.logs.high, series.logs.low));
}

function closePositions(series: FeatureSeries): Float64Array {
  const { high, low, close } = series.logs;
  const out = createColumn(close.length);
  for (let i = 0; i < out.length; i++) out[i] = close[i] - low[i] - (high[i] - close[i]);
  return perScale(out, heights(series));
}

function upperWicks(series: FeatureSeries): Float64Array {
  const { open, high, close } = series.logs;
  const out = createColumn(close.length);
  for (let i = 0; i < out.length; i++) out[i] = high[i] - Math.max(open[i], close[i]);
  return perScale(out, heights(series));
}

function lowerWicks(series: FeatureSeries): Float64Array {
  const { open, low, close } = series.logs;
  const out = createColumn(close.length);
  for (let i = 0; i < out.length; i++) out[i] = Math.min(open[i], close[i]) - low[i];
  return perScale(out, heights(series));
}

function bodies(series: FeatureSeries): Float64Array {
  const body = windowSums(less(series.logs.close, series.logs.open), 5);
  const whole = windowSums(heights(series), 5);
  for (let i = 0; i < body.length; i++) body[i] = over(body[i], whole[i]);
  return body;
}

function gaps({ logs: { open, close }, range }: FeatureSeries): Float64Array {
  const out = createColumn(close.length).fill(Number.NaN);
  for (let i = 1; i < out.length; i++) out[i] = over(open[i] - close[i - 1], range[i]);
  return out;
}

function overlaps({ logs: { high, low } }: FeatureSeries): Float64Array {
  const out = createColumn(high.length).fill(Number.NaN);
  for (let i = 1; i < out.length; i++) {
    const shared = Math.min(high[i], high[i - 1]) - Math.max(low[i], low[i - 1]);
    out[i] = over(shared, Math.max(high[i], high[i - 1]) - Math.min(low[i], low[i - 1]));
  }
  return out;
}

/** The shape of the bar and of how it follows the one before. */
export const CANDLE: readonly Feature[] = [
  defineFeature({
    id: "body",
    title: "Body",
    description: "Close above open per height of the bar.",
    unit: "share",
    warmup: 0,
    signed: true,
    compute: (series) => perScale(less(series.logs.close, series.logs.open), heights(series)),
  }),
  defineFeature({
    id: "close_position",
    title: "Place of the close",
    description: "Close between the low (-1) and the high (1) of the bar.",
    unit: "share",
    warmup: 0,
    signed: true,
    compute: closePositions,
  }),
  defineFeature({
    id: "wick_ahead",
    title: "Wick ahead",
    description: "Upper wick per height of the bar.",
    unit: "share",
    warmup: 0,
    opposite: "wick_behind",
    compute: upperWicks,
  }),
  defineFeature({
    id: "wick_behind",
    title: "Wick behind",
    description: "Lower wick per height of the bar.",
    unit: "share",
    warmup: 0,
    opposite: "wick_ahead",
    compute: lowerWicks,
  }),
  defineFeature({
    id: "body_5",
    title: "Bodies of 5 bars",
    description: "Sum of five bodies, rises less falls, per sum of their heights.",
    unit: "share",
    warmup: 4,
    signed: true,
    compute: bodies,
  }),
  defineFeature({
    id: "gap",
    title: "Gap",
    description: "Open above the close before, in average true ranges.",
    unit: "range",
    warmup: 14,
    signed: true,
    compute: gaps,
  }),
  defineFeature({
    id: "overlap",
    title: "Overlap",
    description: "Prices that the bar shares with the one before, per prices of both; below 0 for a gap.",
    unit: "share",
    warmup: 1,
    compute: overlaps,
  }),
];

function roomAbove({ logs: { high, close }, range }: FeatureSeries, bars: number): Float64Array {
  const highest = windowHighest(high, bars);
  for (let i = 0; i < highest.length; i++) highest[i] = over(highest[i] - close[i], range[i]);
  return highest;
}

function roomBelow({ logs: { low, close }, range }: FeatureSeries, bars: number): Float64Array {
  const lowest = windowLowest(low, bars);
  for (let i = 0; i < lowest.length; i++) lowest[i] = over(close[i] - lowest[i], range[i]);
  return lowest;
}

function roomFeatures(bars: number): readonly Feature[] {
  const head = { unit: "range", warmup: bars - 1 } as const;
  return [
    defineFeature({
      ...head,
      id: `room_ahead_${bars}`,
      title: `Room ahead, ${bars} bars`,
      description: `From the close to the highest high of ${bars} bars, in average true ranges.`,
      opposite: `room_behind_${bars}`,
      compute: (series) => roomAbove(series, bars),
    }),
    defineFeature({
      ...head,
      id: `room_behind_${bars}`,
      title: `Room behind, ${bars} bars`,
      description: `From the lowest low of ${bars} bars to the close, in average true ranges.`,
      opposite: `room_ahead_${bars}`,
      compute: (series) => roomBelow(series, bars),
    }),
  ];
}

/** Distances to the extremes of bars gone by. */
export const ROOM: readonly Feature[] = [...roomFeatures(20), ...roomFeatures(100)];
