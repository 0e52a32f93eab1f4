import { deviationOf, meanOf } from "../base/stats.js";
import { absent, type Figure, figureOf, ratioOf } from "./figure.js";
import { type Annualisation, type DailyReturns, dailyRate, LEAST_DAYS } from "./returns.js";

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
export function compareReturns(own: DailyReturns, benchmark: DailyReturns, year: Annualisation): Comparison {
  const [a, b] = equalDays(own, benchmark);
  const n = a.length;
  if (n < LEAST_DAYS) {
    const few = absent(own.reason ?? `fewer than ${LEAST_DAYS} days with both returns`);
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
