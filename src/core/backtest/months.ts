import { DAY_MS } from "../market/day.js";
import type { DailyReturns } from "../performance/returns.js";

/** Returns of the months of one year. */
export interface YearRow {
  readonly year: number;
  /** January to December; null where there was no day. */
  readonly months: readonly (number | null)[];
  /** Of the year, or of what there is of it. */
  readonly total: number;
}

/** Returns by month and year, chained out of those of days, years ascending. */
export function monthlyTable(returns: DailyReturns): YearRow[] {
  const months = new Map(returnsBy(returns, monthOf).map(({ key, value }) => [key, value]));
  return returnsBy(returns, (day) => Math.floor(monthOf(day) / 12)).map(({ key: year, value }) => ({
    year,
    months: Array.from({ length: 12 }, (_, k) => months.get(12 * year + k) ?? null),
    total: value,
  }));
}

/** Months since the year 0. */
function monthOf(day: number): number {
  const date = new Date(day * DAY_MS);
  return 12 * date.getUTCFullYear() + date.getUTCMonth();
}

/** Returns of days chained by a key that days in a row share. */
export function returnsBy<K>(
  { day, value }: DailyReturns,
  keyOf: (day: number) => K,
): { readonly key: K; readonly value: number }[] {
  const rows: { key: K; growth: number }[] = [];
  for (let i = 0; i < day.length; i++) {
    const key = keyOf(day[i]);
    const last = rows[rows.length - 1];
    if (last === undefined || last.key !== key) rows.push({ key, growth: 1 + value[i] });
    else last.growth *= 1 + value[i];
  }
  return rows.map(({ key, growth }) => ({ key, value: growth - 1 }));
}
