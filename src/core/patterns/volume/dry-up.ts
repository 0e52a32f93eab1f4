import { ensure } from "../../base/assert.js";
import { grade, quality } from "../candlestick/quality.js";
import { undecided } from "../candlestick/variants.js";
import { definePattern, type PatternSeries } from "../define.js";
import { eventAt, measured } from "../events.js";
import { type Volumes, volumesOf } from "./volumes.js";

/** Bars that are quiet, and the bars before them that they are compared with. */
const QUIET_BARS = 5;
const USUAL_BARS = 50;
/** Greatest mean volume of the quiet bars in means of those before. */
const MOST = 0.5;
const WARMUP = 2 * QUIET_BARS + USUAL_BARS - 1;

const variant = ensure(undecided("volume_dry_up", "Volume Dry-Up").positive, "the variant");

/** Mean volume of the last five bars in means of the 50 before; NaN where a bar has none. */
function quietness({ recorded, fives, tens }: Volumes, at: number): number {
  if (recorded[at] < QUIET_BARS + USUAL_BARS) return Number.NaN;
  let usual = 0;
  for (let i = at - QUIET_BARS - USUAL_BARS + 10; i <= at - QUIET_BARS; i += 10) usual += tens[i];
  return fives[at] / QUIET_BARS / (usual / USUAL_BARS);
}

/** Whether volume is dry at the bar and was not at the five before. */
function driesUp(volumes: Volumes, at: number): boolean {
  if (!(quietness(volumes, at) <= MOST)) return false;
  for (let i = at - QUIET_BARS; i < at; i++) if (quietness(volumes, i) <= MOST) return false;
  return true;
}

/** Extent of the quiet bars in that of as many average bars. */
function narrowness({ candles: { high, low }, range }: PatternSeries, at: number): number {
  let highest = high[at];
  let lowest = low[at];
  for (let i = at - QUIET_BARS + 1; i < at; i++) {
    highest = Math.max(highest, high[i]);
    lowest = Math.min(lowest, low[i]);
  }
  return (highest - lowest) / range[at - QUIET_BARS];
}

export const dryUp = definePattern({
  name: "volume_dry_up",
  title: "Volume Dry-Up",
  family: "volume",
  variants: [variant],
  bars: QUIET_BARS + USUAL_BARS,
  warmup: WARMUP,
  description:
    "The mean volume of five bars falls to half of that of the 50 bars before, for the first time in five bars.",
  source: "W. O'Neil, How to Make Money in Stocks (1988), on volume that dries up; thresholds of our own",
  find(series, from, to, hits) {
    const volumes = volumesOf(series);
    for (let at = Math.max(from, WARMUP); at < to; at++) {
      if (!driesUp(volumes, at)) continue;
      const quiet = quietness(volumes, at);
      const extent = narrowness(series, at);
      const shape = quality(grade(quiet, MOST, 0.25), grade(extent, 3, 1));
      hits.push(
        eventAt(variant, at, at - QUIET_BARS - USUAL_BARS + 1, shape, {
          points: [{ role: "quiet", at, price: series.candles.close[at], knownAt: at }],
          checks: [
            measured("volume_in_means", quiet, MOST, true),
            measured("extent_in_average_ranges", extent, 2, extent < 2),
          ],
        }),
      );
    }
  },
});
