import type { Sign } from "../candlestick/define.js";
import { grade, quality } from "../candlestick/quality.js";
import { directed } from "../candlestick/variants.js";
import type { Hit, Pattern, PatternSeries, PatternVariant } from "../define.js";
import { defineEvent, eventAt, measured, trendCheck, volumeCheck } from "../events.js";
import { kept } from "../kept.js";
import { crossing } from "./crossing.js";
import { RSI_PERIOD, rsiBy, rsiSides } from "./rsi.js";

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

/** The relative strength index enters an extreme or leaves it; either expects price to turn. */
function rsiExtreme({ name, title, level, extreme, enters, leaves }: Extreme): Pattern {
  const sides = kept((series) => rsiSides(series, level));

  function hit(series: PatternSeries, at: number, direction: Sign): Hit {
    const { now: index, before } = rsiBy(series, at, SPEED_BARS);
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

  return defineEvent({
    name,
    title,
    family: "indicator",
    variants: [enters, leaves],
    bars: 2,
    warmup: RSI_PERIOD + SPEED_BARS,
    description: `The relative strength index of 14 bars goes ${extreme === 1 ? "above" : "below"} ${level} or comes back.`,
    source:
      "J. W. Wilder, New Concepts in Technical Trading Systems (1978): 30 and 70; begun 160 bars before",
    see: (series) => {
      const column = sides(series);
      return (at) => crossing(column, at);
    },
    hit,
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
