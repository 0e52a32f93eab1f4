import type { Sign } from "../candlestick/define.js";
import { grade, quality } from "../candlestick/quality.js";
import { directed } from "../candlestick/variants.js";
import type { Hit, PatternSeries } from "../define.js";
import {
  defineEvent,
  eventAt,
  line,
  measured,
  type Pair,
  trendCheck,
  variantOf,
  volumeCheck,
} from "../events.js";
import { BAND_BARS, bandsOf } from "./bands.js";

const variants: Pair = {
  rising: {
    ...directed("bollinger_upper_breakout", "Bollinger Upper Breakout", 1, "continuation"),
    priorTrend: null,
  },
  falling: {
    ...directed("bollinger_lower_breakout", "Bollinger Lower Breakout", -1, "continuation"),
    priorTrend: null,
  },
};

function hit(series: PatternSeries, at: number, direction: Sign): Hit {
  const { close } = series.candles;
  const { middle, reach } = bandsOf(series);
  const band = (i: number) => middle[i] + direction * reach[i];
  const deviations = (2 * direction * (close[at] - middle[at])) / reach[at];
  const widening = reach[at] / reach[at - 1];
  const shape = quality(
    grade(deviations, 2, 3),
    grade((direction * (close[at] - close[at - 1])) / series.range[at], 0, 2),
    grade(widening, 1, 1.3),
  );
  return eventAt(variantOf(variants, direction), at, at - 1, shape, {
    points: [{ role: "close", at, price: close[at], knownAt: at }],
    boundaries: [line(direction === 1 ? "upper" : "lower", at - 1, band(at - 1), at, band(at))],
    stop: middle[at],
    checks: [
      measured("deviations", deviations, 2, deviations > 2),
      measured("bands_widen", widening, 1, widening > 1),
      trendCheck(series, at, direction),
      volumeCheck(series, at),
    ],
  });
}

export const bollingerBreakout = defineEvent({
  name: "bollinger_breakout",
  title: "Bollinger Breakout",
  family: "indicator",
  variants: [variants.rising, variants.falling],
  bars: 2,
  warmup: BAND_BARS,
  description: "The first close beyond a band of two standard deviations around the average of 20 closes.",
  source: "J. Bollinger, Bollinger on Bollinger Bands (2001)",
  see: (series) => {
    const { beyond } = bandsOf(series);
    return (at) => (beyond[at] === beyond[at - 1] ? 0 : (beyond[at] as Sign | 0));
  },
  hit,
});
