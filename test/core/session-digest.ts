// Prints a hash of every session, of listed bars and of resampled candles, for comparison between time zones.
import { createHash } from "node:crypto";
import { createRng } from "../../src/core/base/rng.js";
import { barOpensBetween, lastClosedBar } from "../../src/core/market/bar-times.js";
import { CALENDARS } from "../../src/core/market/calendars/index.js";
import { allocateBars, BAR_COLUMNS } from "../../src/core/market/candles.js";
import { INTERVALS } from "../../src/core/market/interval.js";
import { resample } from "../../src/core/market/resample.js";
import {
  calendarOf,
  dailyBarTime,
  isCalendarId,
  isKnown,
  regularOpen,
  sessionOn,
} from "../../src/core/market/session.js";

const hash = createHash("sha256");
const rng = createRng(7);

/** A hundred thousand minutes around the change of clocks of spring 2024. */
const candles = { symbol: "TEST", interval: "1m" as const, ...allocateBars(100_000) };
for (let i = 0; i < candles.time.length; i++) {
  candles.time[i] = Date.UTC(2024, 1, 1) + i * 60_000;
  for (const column of BAR_COLUMNS.slice(1)) candles[column][i] = rng.next();
}

for (const id of Object.keys(CALENDARS).filter(isCalendarId)) {
  const calendar = calendarOf(id);
  hash.update(calendar.day).update(calendar.open).update(calendar.close).update(calendar.early);
  for (const interval of INTERVALS) {
    hash.update(barOpensBetween(calendar, interval, Date.UTC(2023, 9, 1), Date.UTC(2024, 4, 1)));
    const resampled = resample(candles, interval, calendar);
    for (const column of BAR_COLUMNS) hash.update(resampled[column]);
    for (let i = 0; i < 200; i++) hash.update(String(lastClosedBar(calendar, interval, rng.below(1.8e12))));
  }
  for (let year = 1970; year < 2035; year++) {
    for (const day of ["01-01", "03-10", "07-04", "11-03", "12-31"]) {
      const date = `${year}-${day}`;
      const open = regularOpen(calendar, date);
      hash.update(
        JSON.stringify([
          sessionOn(calendar, date),
          dailyBarTime(calendar, date),
          isKnown(calendar, open ?? 0),
        ]),
      );
    }
  }
}

process.stdout.write(`${process.env.TZ ?? "none"} ${new Date(0).getHours()} ${hash.digest("hex")}\n`);
