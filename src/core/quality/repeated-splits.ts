import { lowerBound } from "../base/search.js";
import type { CorporateAction } from "../market/actions.js";
import type { Bars } from "../market/candles.js";
import { DAY_MS } from "../market/day.js";
import { isNearer, type Split } from "./splits.js";

/** Days between two splits of one ratio within which they are one that is listed twice. */
const REPEAT_DAYS = 7;

/** A split that is another one, listed again. */
export interface RepeatedSplit {
  readonly split: Split;
  /** The one that counts. */
  readonly counted: Split;
}

/** Splits of one ratio within a week of the first of them, by ex-day; more than one of each. */
export function repeatedSplits(actions: readonly CorporateAction[]): readonly (readonly Split[])[] {
  const splits = actions.filter((action) => action.kind === "split").sort((a, b) => a.exDay - b.exDay);
  const groups: Split[][] = [];
  for (const split of splits) {
    const same = groups.find(
      ([first]) =>
        split.exDay - first.exDay <= REPEAT_DAYS && Math.abs(Math.log(split.ratio / first.ratio)) < 1e-6,
    );
    if (same === undefined) groups.push([split]);
    else same.push(split);
  }
  return groups.filter(({ length }) => length > 1);
}

/** Of splits that are one, the one on whose day prices jump by its ratio; the first where they do on none. Bars are daily. */
export function countedOf(splits: readonly Split[], bars: Bars): Split {
  let counted = splits[0];
  let least = Number.POSITIVE_INFINITY;
  for (const split of splits) {
    const at = lowerBound(bars.time, split.exDay * DAY_MS);
    if (at === 0 || at === bars.time.length) continue;
    const moved = bars.close[at - 1] / bars.open[at];
    const distance = Math.abs(Math.log(moved / split.ratio));
    if (!isNearer(moved, split.ratio) || distance >= least) continue;
    counted = split;
    least = distance;
  }
  return counted;
}
