import { deviationOf, meanOf } from "../base/stats.js";
import { absent, type Figure, figureOf, ratioOf } from "./figure.js";
import { type Annualisation, type DailyReturns, dailyRate, growthOf, LEAST_DAYS } from "./returns.js";

/** Returns beside those of something else on the same days. */
export interface Comparison {
  /** Days on which both have a return. */
  readonly n: number;
  /** Covariance per variance of the benchmark, of what is beyond the rate without risk. */
  readonly beta: Figure;
  /** Mean of what beta leaves of a day, compounded to a year (M. Jensen 1968). */
  readonly alpha: Figure;
  readonly correlation: Figure;
  /** Standard deviation of the difference, times the root of the days of a year. */
  readonly trackingError: Figure;
  /** Mean difference per standard deviation of it, times the root of the days of a year. */
  readonly informationRatio: Figure;
}

/** Days that only one of the two has are left out. */
export function compareReturns(
  own: DailyReturns,
  benchmark: DailyReturns,
  year: Annualisation,
  least = LEAST_DAYS,
): Comparison {
  const [a, b] = equalDays(own, benchmark);
  const n = a.length;
  if (n < least) {
    const few = absent(own.reason ?? `fewer than ${least} days with both returns`);
    return { n, beta: few, alpha: few, correlation: few, trackingError: few, informationRatio: few };
  }
  const rate = dailyRate(year);
  const [meanA, meanB] = [meanOf(a), meanOf(b)];
  const covariance = a.reduce((sum, each, i) => sum + (each - meanA) * (b[i] - meanB), 0) / (n - 1);
  const [deviationA, deviationB] = [deviationOf(a), deviationOf(b)];
  const beta = ratioOf(covariance, deviationB ** 2, "the benchmark does not vary");
  const difference = a.map((each, i) => each - b[i]);
  const scale = Math.sqrt(year.days);
  const error = deviationOf(difference);
  return {
    n,
    beta,
    alpha:
      beta.value === null
        ? beta
        : figureOf((1 + (meanA - rate) - beta.value * (meanB - rate)) ** year.days - 1),
    correlation: ratioOf(covariance, deviationA * deviationB, "one of the two does not vary"),
    trackingError: figureOf(error * scale),
    informationRatio: ratioOf(meanOf(difference) * scale, error, "the difference does not vary"),
  };
}

/** What own returns made of the days on which the benchmark rose, and of those on which it fell. */
export interface Capture {
  /** Yearly growth over that of the benchmark, of the days on which it rose, and on which it fell. */
  readonly up: Figure;
  readonly down: Figure;
  /** The one over the other. */
  readonly ratio: Figure;
}

/** Days that only one of the two has are left out. */
export function captureOf(own: DailyReturns, benchmark: DailyReturns, { days }: Annualisation): Capture {
  const [up, down] = ([1, -1] as const).map((side): Figure => {
    const [ours, theirs] = equalDays(own, onSide(benchmark, side));
    if (ours.length === 0) return absent("no such day");
    const [a, b] = [ours, theirs].map(
      (value) => growthOf(value)[value.length - 1] ** (days / value.length) - 1,
    );
    return ratioOf(a, b, "the benchmark did not move");
  });
  const ratio =
    up.value === null ? up : down.value === null ? down : ratioOf(up.value, down.value, "nothing was lost");
  return { up, down, ratio };
}

/** Returns of the days on which they were above 0, or below. */
export function onSide({ day, value, reason }: DailyReturns, side: 1 | -1): DailyReturns {
  const is = (_: number, i: number) => side * value[i] > 0;
  return { day: day.filter(is), value: value.filter(is), reason };
}

function equalDays(a: DailyReturns, b: DailyReturns): [Float64Array, Float64Array] {
  const left: number[] = [];
  const right: number[] = [];
  let k = 0;
  for (let i = 0; i < a.day.length; i++) {
    while (k < b.day.length && b.day[k] < a.day[i]) k++;
    if (k === b.day.length || b.day[k] !== a.day[i]) continue;
    left.push(a.value[i]);
    right.push(b.value[k]);
  }
  return [Float64Array.from(left), Float64Array.from(right)];
}
