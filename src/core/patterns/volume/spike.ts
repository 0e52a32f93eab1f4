import { grade, quality } from "../candlestick/quality.js";
import { directed } from "../candlestick/variants.js";
import { definePattern, type Hit, type PatternSeries, type PatternVariant } from "../define.js";
import { eventAt, measured, trendCheck } from "../events.js";
import { medianVolume, VOLUME_BARS, type Volumes, volumesOf } from "./volumes.js";

/** Least volume in means and in medians of the 20 bars before. */
const LEAST_MEANS = 1.5;
const LEAST_MEDIANS = 2;

const rising = {
  ...directed("bullish_volume_spike", "Bullish Volume Spike", 1, "continuation"),
  priorTrend: null,
};
const falling = {
  ...directed("bearish_volume_spike", "Bearish Volume Spike", -1, "continuation"),
  priorTrend: null,
};
const neutral: PatternVariant = {
  id: "neutral_volume_spike",
  title: "Neutral Volume Spike",
  direction: 0,
  outlook: "indecision",
  priorTrend: null,
};

/**
 * Volume in medians of the 20 bars before where the bar's volume stands out, else NaN: it is the highest of the 21,
 * at least 1.5 means and at least 2 medians of those before, each of which has a volume. A mean alone is lowered
 * by quiet bars and raised by a spike before.
 */
export function standingOut(series: PatternSeries, volumes: Volumes, at: number): number {
  const { volume } = series.candles;
  const { recorded, mean } = volumes;
  if (!(recorded[at] > VOLUME_BARS && volume[at] >= LEAST_MEANS * mean[at])) return Number.NaN;
  const half = volume[at] / LEAST_MEDIANS;
  let low = 0;
  for (let i = at - VOLUME_BARS; i < at; i++) {
    if (volume[i] >= volume[at]) return Number.NaN;
    low += Number(volume[i] <= half);
  }
  // The median is too high without being taken where more than half of the volumes are.
  if (low < VOLUME_BARS / 2) return Number.NaN;
  const medians = volume[at] / medianVolume(series, at);
  return medians >= LEAST_MEDIANS ? medians : Number.NaN;
}

/** Where price went: the change from the close before, and the half of the bar that it closes in, agree or not. */
function readingOf({ candles: { high, low, close } }: PatternSeries, at: number): PatternVariant {
  const change = close[at] - close[at - 1];
  const place = close[at] - low[at] - (high[at] - close[at]);
  if (change > 0 && place > 0) return rising;
  return change < 0 && place < 0 ? falling : neutral;
}

function hitAt(series: PatternSeries, at: number, medians: number): Hit {
  const { candles, range } = series;
  const { volume, high, low, close } = candles;
  const variant = readingOf(series, at);
  const means = volume[at] / volumesOf(series).mean[at];
  const spread = (high[at] - low[at]) / range[at - 1];
  const shape = quality(
    grade(medians, LEAST_MEDIANS, 5),
    grade(means, LEAST_MEANS, 4),
    grade(spread, 0.5, 2),
  );
  const volumes = [
    measured("volume_in_means", means, LEAST_MEANS, true),
    measured("volume_in_medians", medians, LEAST_MEDIANS, true),
    measured("bar_in_average_ranges", spread, 1, spread > 1),
  ];
  const { direction } = variant;
  return eventAt(variant, at, at, shape, {
    points: [{ role: "spike", at, price: close[at], knownAt: at }],
    checks: direction === 0 ? volumes : [...volumes, trendCheck(series, at, direction)],
  });
}

export const volumeSpike = definePattern({
  name: "volume_spike",
  title: "Volume Spike",
  family: "volume",
  variants: [rising, falling, neutral],
  bars: 1,
  warmup: VOLUME_BARS,
  description:
    "Volume above that of each of the 20 bars before, at least 1.5 times their mean and twice their median; it goes with the bar where the change and the close agree.",
  source: "J. Murphy, Technical Analysis of the Financial Markets (1999), on volume; thresholds of our own",
  find(series, from, to, hits) {
    const volumes = volumesOf(series);
    for (let at = Math.max(from, VOLUME_BARS); at < to; at++) {
      const medians = standingOut(series, volumes, at);
      if (medians > 0) hits.push(hitAt(series, at, medians));
    }
  },
});
