import type { Sign } from "../candlestick/define.js";
import { grade, quality } from "../candlestick/quality.js";
import { directed } from "../candlestick/variants.js";
import { definePattern, type Hit, type Pattern, type PatternSeries, type PatternVariant } from "../define.js";
import { eventAt, measured, trendCheck, volumeCheck } from "../events.js";
import { kept } from "../kept.js";
import { crossingsIn, wentTo } from "./crossing.js";
import { RSI_PERIOD, rsiSides, rsisBy, type Speed } from "./rsi.js";

interface Extreme {
  readonly name: string;
  readonly title: string;
  readonly level: number;
  /** Side of the level that is extreme. */
  readonly extreme: Sign;
  readonly enters: PatternVariant;
  readonly leaves: PatternVariant;
}

/** Bars over which the speed of the index is taken. */
const SPEED_BARS = 3;
const WARMUP = RSI_PERIOD + SPEED_BARS;

/** The relative strength index enters an extreme or leaves it; either expects price to turn. */
function rsiExtreme({ name, title, level, extreme, enters, leaves }: Extreme): Pattern {
  const sides = kept((series) => rsiSides(series, level));

  function hitOf(series: PatternSeries, at: number, direction: Sign, { now: index, before }: Speed): Hit {
    const turn = extreme === 1 ? -1 : 1;
    const shape = quality(
      grade(direction * (index - level), 0, 10),
      grade(direction * (index - before), 0, 25),
    );
    return eventAt(direction === extreme ? enters : leaves, at, at - 1, shape, {
      points: [{ role: "close", at, price: series.candles.close[at], knownAt: at }],
      checks: [
        measured("rsi", index, level, direction * (index - level) > 0),
        trendCheck(series, at, turn),
        volumeCheck(series, at),
      ],
    });
  }

  return definePattern({
    name,
    title,
    family: "indicator",
    variants: [enters, leaves],
    bars: 2,
    warmup: WARMUP,
    description: `The relative strength index of 14 bars goes ${extreme === 1 ? "above" : "below"} ${level} or comes back.`,
    source:
      "J. W. Wilder, New Concepts in Technical Trading Systems (1978): 30 and 70; begun 160 bars before",
    find(series, from, to, hits) {
      const column = sides(series);
      const bars = crossingsIn(column, Math.max(from, WARMUP), to);
      const speeds = rsisBy(series, bars, SPEED_BARS);
      for (let n = 0; n < bars.length; n++) {
        hits.push(hitOf(series, bars[n], wentTo(column, bars[n]), speeds[n]));
      }
    },
  });
}

export const rsiOversold = rsiExtreme({
  name: "rsi_oversold",
  title: "RSI Oversold",
  level: 30,
  extreme: -1,
  enters: directed("rsi_oversold", "RSI Oversold", 1, "reversal"),
  leaves: directed("rsi_leaves_oversold", "RSI Leaves Oversold", 1, "reversal"),
});

export const rsiOverbought = rsiExtreme({
  name: "rsi_overbought",
  title: "RSI Overbought",
  level: 70,
  extreme: 1,
  enters: directed("rsi_overbought", "RSI Overbought", -1, "reversal"),
  leaves: directed("rsi_leaves_overbought", "RSI Leaves Overbought", -1, "reversal"),
});
