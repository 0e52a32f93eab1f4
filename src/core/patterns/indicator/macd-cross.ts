import type { Sign } from "../candlestick/define.js";
import { grade, quality } from "../candlestick/quality.js";
import { directed } from "../candlestick/variants.js";
import { definePattern, type Hit, type PatternSeries } from "../define.js";
import { eventAt, measured, type Pair, trendCheck, variantOf, volumeCheck } from "../events.js";
import { crossingsIn, wentTo } from "./crossing.js";
import { MACD_WARMUP, type Macd, macdSides, macdsAt } from "./macd.js";

const variants: Pair = {
  rising: { ...directed("bullish_macd_cross", "Bullish MACD Cross", 1, "reversal"), priorTrend: null },
  falling: { ...directed("bearish_macd_cross", "Bearish MACD Cross", -1, "reversal"), priorTrend: null },
};

function hitOf(
  series: PatternSeries,
  at: number,
  direction: Sign,
  { macd, signal, histogram, before }: Macd,
): Hit {
  const range = series.range[at];
  const shape = quality(
    // A rise that begins below zero has more room above it.
    grade((-direction * signal) / range, -0.5, 0.5),
    grade((direction * (histogram - before)) / range, 0, 0.15),
  );
  return eventAt(variantOf(variants, direction), at, at - 1, shape, {
    points: [{ role: "close", at, price: series.candles.close[at], knownAt: at }],
    checks: [
      measured("macd", macd, signal, direction * (macd - signal) > 0),
      measured("signal_beyond_zero", signal, 0, -direction * signal > 0),
      trendCheck(series, at, direction),
      volumeCheck(series, at),
    ],
  });
}

const WARMUP = MACD_WARMUP + 1;

export const macdCross = definePattern({
  name: "macd_cross",
  title: "MACD Signal Cross",
  family: "indicator",
  variants: [variants.rising, variants.falling],
  bars: 2,
  warmup: WARMUP,
  description: "The difference of the exponential averages of 12 and 26 closes crosses its own average of 9.",
  source: "G. Appel, Technical Analysis: Power Tools for Active Investors (2005); begun 230 bars before",
  find(series, from, to, hits) {
    const sides = macdSides(series);
    const bars = crossingsIn(sides, Math.max(from, WARMUP), to);
    const lines = macdsAt(series, bars);
    for (let n = 0; n < bars.length; n++) {
      hits.push(hitOf(series, bars[n], wentTo(sides, bars[n]), lines[n]));
    }
  },
});
