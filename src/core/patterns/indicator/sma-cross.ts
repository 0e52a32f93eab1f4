import type { Sign } from "../candlestick/define.js";
import { grade, quality } from "../candlestick/quality.js";
import { directed } from "../candlestick/variants.js";
import type { Hit, Pattern, PatternSeries } from "../define.js";
import { defineEvent, eventAt, line, measured, type Pair, variantOf, volumeCheck } from "../events.js";
import { kept } from "../kept.js";
import { type CloseSums, closeSums } from "../sums.js";
import { crossing, sideOf } from "./crossing.js";

/** Bars over which slopes are taken. */
const SLOPE_BARS = 5;

interface Cross {
  readonly name: string;
  readonly title: string;
  readonly fast: keyof CloseSums;
  readonly slow: keyof CloseSums;
  readonly variants: Pair;
  readonly source: string;
}

/**
 * A simple average of closes that crosses a longer one. Both are added up afresh at each bar, so that the crossing
 * depends on the bars of the longer one alone; the table's `sma` agrees up to the rounding of its running sum.
 */
function smaCross({ name, title, fast, slow, variants, source }: Cross): Pattern {
  const sides = kept((series) => {
    const sums = closeSums(series);
    const fastSums = sums[fast];
    const slowSums = sums[slow];
    const column = new Int8Array(fastSums.length);
    for (let i = 0; i < column.length; i++) {
      // Whole multiples of the sums rather than means: equal means then give exactly 0.
      column[i] = sideOf(fastSums[i] * slow - slowSums[i] * fast);
    }
    return column;
  });

  function hit(series: PatternSeries, at: number, direction: Sign): Hit {
    const { close } = series.candles;
    const range = series.range[at];
    const sums = closeSums(series);
    const mean = (bars: keyof CloseSums, i: number) => sums[bars][i] / bars;
    const before = at - SLOPE_BARS;
    const rise = (mean(slow, at) - mean(slow, before)) / (SLOPE_BARS * range);
    const steeper = (mean(fast, at) - mean(fast, before)) / (SLOPE_BARS * range) - rise;
    const distance = (close[at] - mean(slow, at)) / range;
    const shape = quality(
      grade(direction * steeper, 0, 0.15),
      grade(direction * rise, -0.05, 0.05),
      grade(direction * distance, 0, 2),
    );
    return eventAt(variantOf(variants, direction), at, at - 1, shape, {
      points: [{ role: "cross", at, price: mean(slow, at), knownAt: at }],
      boundaries: [
        line(`sma_${fast}`, before, mean(fast, before), at, mean(fast, at)),
        line(`sma_${slow}`, before, mean(slow, before), at, mean(slow, at)),
      ],
      checks: [
        measured("slow_average_rise", rise, 0, direction * rise > 0),
        measured("close_beyond_averages", distance, 0, direction * distance > 0),
        volumeCheck(series, at),
      ],
    });
  }

  return defineEvent({
    name,
    title,
    family: "indicator",
    variants: [variants.rising, variants.falling],
    bars: 2,
    warmup: slow - 1 + SLOPE_BARS,
    description: `The average of ${fast} closes crosses the average of ${slow} closes.`,
    source,
    see: (series) => {
      const column = sides(series);
      return (at) => crossing(column, at);
    },
    hit,
  });
}

const anyTrend = (id: string, title: string, direction: Sign) => ({
  ...directed(id, title, direction, "reversal"),
  priorTrend: null,
});

export const sma50And200Cross = smaCross({
  name: "sma_50_200_cross",
  title: "Golden and Death Cross",
  fast: 50,
  slow: 200,
  variants: {
    rising: anyTrend("golden_cross", "Golden Cross", 1),
    falling: anyTrend("death_cross", "Death Cross", -1),
  },
  source: "J. Murphy, Technical Analysis of the Financial Markets (1999): 50 and 200 days",
});

export const sma20And50Cross = smaCross({
  name: "sma_20_50_cross",
  title: "Cross of SMA 20 and 50",
  fast: 20,
  slow: 50,
  variants: {
    rising: anyTrend("bullish_sma_20_50_cross", "Bullish Cross of SMA 20 and 50", 1),
    falling: anyTrend("bearish_sma_20_50_cross", "Bearish Cross of SMA 20 and 50", -1),
  },
  source: "J. Murphy, Technical Analysis of the Financial Markets (1999): the crossing of two averages",
});
