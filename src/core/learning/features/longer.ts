import { createColumn } from "../../base/columns.js";
import { trueRange } from "../../indicators/volatility/true-range.js";
import { windowMeans } from "../../regime/windows.js";
import { over, perScale, placeInRange, rise, rootMeanSquare } from "./columns.js";
import { defineFeature, type Feature } from "./define.js";
import type { FeatureSeries, LongerView } from "./series.js";

/** What the newest longer bar that has closed says, at each bar. */
function seenAt({ newest }: LongerView, column: Float64Array): Float64Array {
  const out = createColumn(newest.length);
  for (let i = 0; i < out.length; i++) out[i] = newest[i] < 0 ? Number.NaN : column[newest[i]];
  return out;
}

/** Distance of closes from their mean of 10, in mean true ranges of 10; by the longer bar. */
function trendOf({ logs: { high, low, close } }: LongerView): Float64Array {
  const ranges = createColumn(close.length).fill(Number.NaN, 0, 1);
  for (let i = 1; i < ranges.length; i++) ranges[i] = trueRange(high[i], low[i], close[i - 1]);
  const range = windowMeans(ranges, 10);
  const mean = windowMeans(close, 10);
  for (let i = 0; i < mean.length; i++) mean[i] = over(close[i] - mean[i], range[i]);
  return mean;
}

function trend(series: FeatureSeries): Float64Array {
  return series.kept("longer trend", () => seenAt(series.longer, trendOf(series.longer)));
}

function momentum({ longer }: FeatureSeries): Float64Array {
  const { close } = longer.logs;
  const deviation = rootMeanSquare(rise(close, 1), 10);
  return seenAt(longer, perScale(rise(close, 5), deviation, Math.sqrt(5)));
}

/** Above 0 where both intervals go the same way, 1 where both do so clearly. */
function alignment(series: FeatureSeries): Float64Array {
  const { logs, range } = series;
  const mean = windowMeans(logs.close, 20);
  const out = trend(series).slice();
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.tanh(out[i]) * Math.tanh(over(logs.close[i] - mean[i], range[i]));
  }
  return out;
}

const head = { warmup: 0, asOf: "longer" } as const;

/** What bars of the next longer interval say. */
export const LONGER: readonly Feature[] = [
  defineFeature({
    ...head,
    id: "longer_trend",
    title: "Trend of longer bars",
    description: "Close of a longer bar above the mean of 10, in their mean true ranges.",
    unit: "range",
    longerWarmup: 10,
    signed: true,
    compute: (series) => trend(series).slice(),
  }),
  defineFeature({
    ...head,
    id: "longer_return_5",
    title: "Return of 5 longer bars",
    description: "Return of 5 longer bars per root of 5 and deviation of 10 of their returns.",
    unit: "deviation",
    longerWarmup: 10,
    signed: true,
    compute: momentum,
  }),
  defineFeature({
    ...head,
    id: "longer_position_20",
    title: "Place in the range of 20 longer bars",
    description: "Close of a longer bar between the lowest low (-1) and highest high (1) of 20.",
    unit: "share",
    longerWarmup: 19,
    signed: true,
    compute: ({ longer }) => seenAt(longer, placeInRange(longer.logs, 20)),
  }),
  defineFeature({
    ...head,
    id: "longer_alignment",
    title: "Agreement of intervals",
    description:
      "Product of the distances from the mean, of 10 longer bars and of 20 bars, in ranges and each bent into -1 to 1: above 0 where both go the same way.",
    unit: "share",
    warmup: 19,
    longerWarmup: 10,
    compute: alignment,
  }),
];
