import { barOpensBetween, barsPerYear } from "../../core/market/bar-times.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import type { AdjustedCandles, Wanted } from "../../features/candles/adjusted.js";
import type { KnownInstrument } from "../../features/instruments/store.js";
import { AppError } from "../../platform/errors.js";
import type { Gateway } from "../../providers/gateway.js";
import {
  baseOf,
  type FramedBar,
  framed,
  overUntil,
  spanOf,
  type Timeframe,
  timeframeText,
} from "./timeframe.js";

/** Which bars of an instrument are wanted. */
export interface BarRequest {
  readonly timeframe: Timeframe;
  /** Bars that begin in [fromMs, toMs). */
  readonly fromMs: number;
  readonly toMs: number;
  readonly limit: number;
  readonly sort: "asc" | "desc";
  readonly view: Wanted["view"];
}

/** Closed bars as the dialect lays them. */
export interface FramedBars {
  /**
   * The first of a stretch, or the last where they are wanted newest first; in the wanted order.
   * @throws {AppError} `interval_unavailable` where no source has bars to make them of; as candles do.
   */
  load(instrument: KnownInstrument, request: BarRequest): Promise<FramedBar[]>;
}

const YEAR_MS = 365.25 * 86_400_000;
/** Bars that are read at once beyond those that are wanted, since holidays lie between. */
const SLACK = 1.3;
/** How much further is read after a stretch without a bar. */
const STRIDE = 4;

export function createFramedBars(options: {
  readonly adjusted: Pick<AdjustedCandles, "loadRange">;
  readonly gateway: Pick<Gateway, "intervals" | "feedNowMs" | "earliestMs">;
}): FramedBars {
  const { adjusted, gateway } = options;

  function requireBase(instrument: KnownInstrument, timeframe: Timeframe): Interval {
    const available = gateway.intervals(instrument);
    const base = baseOf(timeframe, calendarOf(instrument.calendar), available);
    if (base !== null) return base;
    const detail = `no ${timeframeText(timeframe)} bars of ${instrument.symbol}: there are ${available.join(", ")}`;
    throw new AppError("interval_unavailable", detail);
  }

  return {
    async load(instrument, { timeframe, fromMs, toMs, limit, sort, view }) {
      const calendar = calendarOf(instrument.calendar);
      const { zone } = calendar;
      const base = requireBase(instrument, timeframe);
      const reached = await gateway.feedNowMs(instrument, base);
      const over = overUntil(calendar, base, reached);
      const earliest = Math.max(fromMs, await gateway.earliestMs(instrument, base), 0);
      const latest = Math.min(toMs, reached);
      if (earliest >= latest) return [];
      const first = spanOf(timeframe, zone, earliest).open;
      const end = spanOf(timeframe, zone, latest - 1).close;
      const found: FramedBar[] = [];
      let spanMs = strideMs(instrument, base, timeframe, limit);
      for (let at = sort === "asc" ? first : end; sort === "asc" ? at < end : at > first; ) {
        const window =
          sort === "asc"
            ? { from: at, to: Math.min(end, spanOf(timeframe, zone, at + spanMs).close) }
            : { from: Math.max(first, spanOf(timeframe, zone, at - spanMs).open), to: at };
        const expected = barOpensBetween(calendar, base, window.from, window.to).length;
        const set = await adjusted.loadRange(instrument, base, window, expected + 1, { view });
        const bars = framed(set.candles, timeframe, zone).filter(
          ({ time }) => time >= fromMs && time < toMs && spanOf(timeframe, zone, time).close <= over,
        );
        found.push(...(sort === "asc" ? bars : bars.reverse()));
        if (found.length >= limit) return found.slice(0, limit);
        if (bars.length === 0) spanMs *= STRIDE;
        at = sort === "asc" ? window.to : window.from;
      }
      return found;
    },
  };
}

/** A stretch of time in which there should be so many bars. */
function strideMs(
  { calendar }: KnownInstrument,
  base: Interval,
  timeframe: Timeframe,
  limit: number,
): number {
  const { zone } = calendarOf(calendar);
  const { open, close } = spanOf(timeframe, zone, 0);
  const ofBase = (limit * YEAR_MS) / barsPerYear(calendarOf(calendar), base);
  return SLACK * Math.max(limit * (close - open), ofBase);
}
