import { lastClosedBar } from "../../core/market/bar-times.js";
import type { Calendar } from "../../core/market/calendar.js";
import type { Candles } from "../../core/market/candles.js";
import { DAY_MS } from "../../core/market/day.js";
import { calendarOf, tradingDay } from "../../core/market/session.js";
import type { AdjustedCandles } from "../../features/candles/adjusted.js";
import { BARS_LIMIT } from "../../features/candles/schema.js";
import type { KnownInstrument } from "../../features/instruments/store.js";
import type { Gateway } from "../../providers/gateway.js";
import { type Frame, type Month, monthOf, opensBetween, stampOf, startOfDay } from "./resolutions.js";

/** A closed bar; its time is in seconds, as the protocol has it. */
export interface ChartBar {
  readonly time: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** Which bars are wanted: times in [from, to) in seconds, or so many before `to` wherever they lie. */
export interface BarsWanted {
  readonly from: number;
  readonly to: number;
  readonly countback: number | null;
}

export interface ChartBars {
  /**
   * Closed bars, oldest first; of more than an answer holds the newest.
   * @throws {AppError} `interval_unavailable`, and as candles do.
   */
  load(instrument: KnownInstrument, frame: Frame, wanted: BarsWanted): Promise<ChartBar[]>;
}

/** Days of the longest month. */
const MONTH_DAYS = 31;
/** Months of all years that calendars are laid out for. */
const MOST_MONTHS = 2_400;
const DAY_S = DAY_MS / 1_000;

export function createChartBars(options: {
  readonly adjusted: Pick<AdjustedCandles, "loadRange">;
  readonly gateway: Pick<Gateway, "feedNowMs" | "earliestMs" | "intervals">;
}): ChartBars {
  const { adjusted, gateway } = options;

  /** The newest bars that open in a stretch, none of them before the calendar begins. */
  async function newest(
    instrument: KnownInstrument,
    frame: Exclude<Frame, "month">,
    stretch: { readonly from: number; readonly to: number },
    limit: number,
  ): Promise<Candles | null> {
    const from = Math.max(stretch.from, calendarOf(instrument.calendar).open[0]);
    // Of an interval that there is not, candles say so themselves.
    const available = gateway.intervals(instrument).includes(frame);
    const reached = available ? await gateway.feedNowMs(instrument, frame) : Number.POSITIVE_INFINITY;
    if (available && from >= Math.min(stretch.to, reached)) return null;
    const wanted = { from, to: stretch.to };
    return (await adjusted.loadRange(instrument, frame, wanted, limit, { view: "given" })).candles;
  }

  async function loadMonths(instrument: KnownInstrument, { from, to, countback }: BarsWanted) {
    const calendar = calendarOf(instrument.calendar);
    const count = Math.min(countback ?? BARS_LIMIT, MOST_MONTHS);
    const end = startOfDay(calendar, monthOf(calendar, Math.ceil(to / DAY_S) - 1).until);
    const start = countback === null ? monthBefore(calendar, Math.ceil(from / DAY_S)) : -Infinity;
    // One more at each end: the first may be cut off and the last may still go on.
    const limit = (count + 2) * MONTH_DAYS;
    const days = await newest(instrument, "1d", { from: start, to: end }, limit);
    if (days === null) return [];
    const isWhole = days.time.length < limit;
    const bars = monthsOf(days, calendar, {
      earliestMs: isWhole ? await gateway.earliestMs(instrument, "1d") : Number.POSITIVE_INFINITY,
      reachedMs: await gateway.feedNowMs(instrument, "1d"),
    });
    return bars.filter(({ time }) => time < to && (countback !== null || time >= from)).slice(-count);
  }

  return {
    async load(instrument, frame, wanted) {
      if (frame === "month") return loadMonths(instrument, wanted);
      const calendar = calendarOf(instrument.calendar);
      const { from, to, countback } = wanted;
      const stretch = opensBetween(calendar, frame, countback === null ? from : -Infinity, to);
      const limit = Math.min(countback ?? BARS_LIMIT, BARS_LIMIT);
      const candles = await newest(instrument, frame, stretch, limit);
      return candles === null ? [] : chartBars(candles, (openMs) => stampOf(calendar, frame, openMs));
    },
  };
}

function chartBars(candles: Candles, stamp: (openMs: number) => number): ChartBar[] {
  const { time, open, high, low, close, volume } = candles;
  return Array.from(time, (openMs, i) => ({
    time: stamp(openMs),
    open: open[i],
    high: high[i],
    low: low[i],
    close: close[i],
    volume: volume[i],
  }));
}

/** Start of the month before that of a day: a month that begins with a stretch is not where the days begin. */
function monthBefore(calendar: Calendar, day: number): number {
  return startOfDay(calendar, monthOf(calendar, monthOf(calendar, day).from - 1).from);
}

/**
 * Months that are over. The first is left out where its first days are missing since nothing is to be had before a
 * moment; days that are missing within the others are missing everywhere.
 */
function monthsOf(
  days: Candles,
  calendar: Calendar,
  { earliestMs, reachedMs }: { readonly earliestMs: number; readonly reachedMs: number },
): ChartBar[] {
  const newest = lastClosedBar(calendar, "1d", reachedMs) ?? Number.NEGATIVE_INFINITY;
  const bars: ChartBar[] = [];
  let month: Month | null = null;
  for (const [i, day] of chartBars(days, (openMs) => tradingDay(calendar, openMs)).entries()) {
    const last = bars.at(-1);
    if (month !== null && last !== undefined && day.time < month.until) {
      bars[bars.length - 1] = {
        ...last,
        high: Math.max(last.high, day.high),
        low: Math.min(last.low, day.low),
        close: day.close,
        volume: last.volume + day.volume,
      };
      continue;
    }
    month = monthOf(calendar, day.time);
    if ((month.lastOpen ?? days.time[i]) > newest) break;
    bars.push({ ...day, time: month.firstSession * DAY_S });
  }
  const isCutOff = days.time.length > 0 && isLate(calendar, tradingDay(calendar, days.time[0]), earliestMs);
  return isCutOff ? bars.slice(1) : bars;
}

/** Whether days begin after the first session of their month, since there are none before a moment. */
function isLate(calendar: Calendar, firstDay: number, earliestMs: number): boolean {
  const { firstSession } = monthOf(calendar, firstDay);
  return firstDay > firstSession && startOfDay(calendar, firstSession + 1) <= earliestMs;
}
