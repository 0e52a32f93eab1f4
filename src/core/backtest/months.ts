import { dateOf } from "../market/day.js";
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
  const months = returnsBy(returns, (day) => dateOf(day).slice(0, 7));
  return returnsBy(returns, (day) => dateOf(day).slice(0, 4)).map(({ key, value }) => ({
    year: Number(key),
    months: Array.from({ length: 12 }, (_, k) => {
      const month = `${key}-${String(k + 1).padStart(2, "0")}`;
      return months.find((each) => each.key === month)?.value ?? null;
    }),
    total: value,
  }));
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
