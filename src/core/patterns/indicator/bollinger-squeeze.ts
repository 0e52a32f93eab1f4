import type { Sign } from "../candlestick/define.js";
import { grade, quality } from "../candlestick/quality.js";
import { directed } from "../candlestick/variants.js";
import type { Hit, PatternSeries } from "../define.js";
import { defineEvent, eventAt, line, measured, type Pair, variantOf, volumeCheck } from "../events.js";
import { BAND_BARS, type Bands, bandsOf } from "./bands.js";

const variants: Pair = {
  rising: {
    ...directed("bullish_bollinger_squeeze", "Bullish Bollinger Squeeze Release", 1, "continuation"),
    priorTrend: null,
  },
  falling: {
    ...directed("bearish_bollinger_squeeze", "Bearish Bollinger Squeeze Release", -1, "continuation"),
    priorTrend: null,
  },
};

/** Bars over which the bands are at their narrowest: half a year of days. */
const QUIET_BARS = 125;
/** Greatest width of the narrowest bands in mean widths of those bars. */
const MOST_WIDTH = 0.75;
/** Bars after the narrowest within which a close beyond a band releases the squeeze. */
const RELEASE_BARS = 10;

/** The last bar of the least width among bars [from, to). */
function narrowest(width: Float64Array, from: number, to: number): number {
  let best = from;
  for (let i = from + 1; i < to; i++) if (width[i] <= width[best]) best = i;
  return best;
}

/** Mean width over the bars before. */
function usualWidth(width: Float64Array, at: number): number {
  let sum = 0;
  for (let i = at - QUIET_BARS; i < at; i++) sum += width[i];
  return sum / QUIET_BARS;
}

/** Bar of the squeeze that the first close beyond a band at `at` releases; -1 if it does not release one. */
function squeezeBefore({ width, beyond }: Bands, at: number): number {
  const squeeze = narrowest(width, at - RELEASE_BARS, at);
  // Bands without width are bars without trades.
  if (!(width[squeeze] > 0)) return -1;
  for (let i = squeeze; i < at; i++) if (beyond[i] !== 0) return -1;
  for (let i = at - QUIET_BARS; i < at - RELEASE_BARS; i++) if (!(width[i] >= width[squeeze])) return -1;
  return width[squeeze] <= MOST_WIDTH * usualWidth(width, at) ? squeeze : -1;
}

function hit(series: PatternSeries, at: number, direction: Sign): Hit {
  const { close } = series.candles;
  const bands = bandsOf(series);
  const { middle, reach, width } = bands;
  const squeeze = squeezeBefore(bands, at);
  const usual = usualWidth(width, at);
  const depth = width[squeeze] / usual;
  const deviations = (2 * direction * (close[at] - middle[at])) / reach[at];
  const edge = (side: Sign) =>
    line(
      side === 1 ? "upper" : "lower",
      squeeze,
      middle[squeeze] + side * reach[squeeze],
      at,
      middle[at] + side * reach[at],
    );
  const shape = quality(
    grade(depth, MOST_WIDTH, 0.25),
    grade(deviations, 2, 3),
    grade((direction * (close[at] - close[at - 1])) / series.range[at], 0, 2),
  );
  return eventAt(variantOf(variants, direction), at, squeeze, shape, {
    points: [{ role: "squeeze", at: squeeze, price: middle[squeeze], knownAt: squeeze }],
    boundaries: [edge(1), edge(-1)],
    stop: middle[at],
    checks: [
      measured("width_in_mean_widths", depth, MOST_WIDTH, true),
      measured("deviations", deviations, 2, deviations > 2),
      volumeCheck(series, at),
    ],
  });
}

export const bollingerSqueeze = defineEvent({
  name: "bollinger_squeeze",
  title: "Bollinger Squeeze Release",
  family: "indicator",
  variants: [variants.rising, variants.falling],
  bars: 2,
  warmup: BAND_BARS - 1 + QUIET_BARS,
  description:
    "The first close beyond a band within 10 bars after the bands were narrower than at any time in 125 bars and at most three quarters as wide as usual.",
  source: "J. Bollinger, Bollinger on Bollinger Bands (2001): the narrowest bands of six months",
  see: (series) => {
    const bands = bandsOf(series);
    return (at) => (bands.beyond[at] !== 0 && squeezeBefore(bands, at) >= 0 ? (bands.beyond[at] as Sign) : 0);
  },
  hit,
});
