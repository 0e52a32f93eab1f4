import type { CorporateAction } from "../../core/market/actions.js";
import { startOfDay, stepsOf, viewCandles } from "../../core/market/adjust.js";
import { DAY_MS } from "../../core/market/day.js";
import type { Interval } from "../../core/market/interval.js";
import { resample } from "../../core/market/resample.js";
import { calendarOf, tradingDay } from "../../core/market/session.js";
import { splitShows } from "../../core/quality/splits.js";
import { AppError } from "../../platform/errors.js";
import type { Gateway } from "../../providers/gateway.js";
import type { CandleService, CandleSet } from "./candles.js";

type Prices = Pick<CandleSet, "candles" | "adjustedAt">;

export interface CarriedOptions {
  readonly candles: CandleService;
  readonly gateway: Pick<Gateway, "intervals">;
  readonly now: () => number;
}

/** Days on either side of an ex-day that are looked at. */
const AROUND_DAYS = 50;

/**
 * Splits after the first bar of a set that are in its prices although these are said to be as they traded: no jump
 * shows around the ex-day, in bars of the interval, or in the days that its weeks are made of. Where the bars around one
 * do not tell, it is taken for what all others of the series are; what cannot be looked at is believed.
 */
export async function carriedSplits(
  { candles: service, gateway, now }: CarriedOptions,
  { instrument, candles: { time, interval }, adjustedAt, knownAtMs }: CandleSet,
  actions: readonly CorporateAction[],
): Promise<ReadonlySet<CorporateAction>> {
  const carried = new Set<CorporateAction>();
  const untold = new Set<CorporateAction>();
  let shown = 0;
  if (adjustedAt?.every((until) => !Number.isNaN(until)) ?? false) return carried;
  const nowMs = knownAtMs ?? now();
  const days = interval === "1w" && gateway.intervals(instrument).includes("1d");
  const load = (from: number, to: number) =>
    service.loadRange(instrument, days ? "1d" : interval, from, to, undefined, knownAtMs ?? undefined);
  const calendar = calendarOf(instrument.calendar);
  const first = tradingDay(calendar, time[0]);
  const splits = actions.filter((action) => action.kind === "split");
  const steps = stepsOf(splits, calendar, instrument.currency, null);
  for (const split of splits) {
    const exMs = startOfDay(calendar, split.exDay);
    if (split.exDay <= first || exMs > nowMs) continue;
    const from = exMs - AROUND_DAYS * DAY_MS;
    const around = await heard(() => load(from, Math.min(nowMs, exMs + AROUND_DAYS * DAY_MS)));
    if (around === null || !saidToBeTraded(around, exMs)) continue;
    const traded = viewCandles(around.candles, around.adjustedAt, steps, {
      adjustment: "raw",
      horizonMs: nowMs,
    });
    const shows = splitShows(daily(traded, instrument.calendar), split);
    if (shows === true) shown++;
    else (shows === null ? untold : carried).add(split);
  }
  if (carried.size > 0 && shown === 0) for (const split of untold) carried.add(split);
  return carried;
}

/** Null where no source could be heard. */
async function heard(work: () => Promise<Prices>): Promise<Prices | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && error.code !== "database_unavailable") return null;
    throw error;
  }
}

/** Whether the last bar before a moment is said to be as it traded. */
function saidToBeTraded({ candles: { time }, adjustedAt }: Prices, atMs: number): boolean {
  const last = time.findLastIndex((open) => open < atMs);
  return last >= 0 && (adjustedAt === null || Number.isNaN(adjustedAt[last]));
}

const DAILY: ReadonlySet<Interval> = new Set(["1d", "1w"]);

function daily(candles: Prices["candles"], calendar: CandleSet["instrument"]["calendar"]): Prices["candles"] {
  return DAILY.has(candles.interval) ? candles : resample(candles, "1d", calendarOf(calendar));
}
