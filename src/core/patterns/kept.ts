import type { PatternSeries } from "./define.js";

let places = 0;

/**
 * What `compute` makes of a series: made when it is first asked for, kept as long as the series is. Kept in the series
 * rather than in a `WeakMap`: every hit asks for it, and a look into an array takes less time.
 */
export function kept<Value extends object>(
  compute: (series: PatternSeries) => Value,
): (series: PatternSeries) => Value {
  const place = places++;
  return (series) => {
    // Nobody else writes to that place.
    const found = series.derived[place] as Value | undefined;
    if (found !== undefined) return found;
    const value = compute(series);
    series.derived[place] = value;
    return value;
  };
}
