import type { PatternSeries } from "./define.js";

/** What `compute` makes of a series: made when it is first asked for, kept as long as the series is. */
export function kept<Value extends object>(
  compute: (series: PatternSeries) => Value,
): (series: PatternSeries) => Value {
  const made = new WeakMap<PatternSeries, Value>();
  return (series) => {
    const found = made.get(series);
    if (found !== undefined) return found;
    const value = compute(series);
    made.set(series, value);
    return value;
  };
}
