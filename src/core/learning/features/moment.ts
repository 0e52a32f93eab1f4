import { createColumn } from "../../base/columns.js";
import { weekdayOf } from "../../market/day.js";
import { isIntraday } from "../../market/interval.js";
import { sessionsOpened, tradingDay } from "../../market/session.js";
import { defineFeature, type Feature } from "./define.js";
import type { FeatureSeries } from "./series.js";

/** How much of its session is over at the close of each bar, 0 to 1; NaN for bars outside sessions. */
function elapsed(series: FeatureSeries): Float64Array {
  return series.kept("elapsed", () => {
    const { candles, closes, context } = series;
    const { calendar } = context;
    const { time } = candles;
    const out = createColumn(time.length);
    if (!isIntraday(candles.interval)) return out.fill(1);
    const sessions = sessionsOpened(calendar, time);
    out.fill(Number.NaN);
    for (let i = 0; i < time.length; i++) {
      const session = sessions[i];
      if (session < 0) continue;
      const open = calendar.open[session];
      const close = calendar.close[session];
      if (time[i] < close) out[i] = (closes[i] - open) / (close - open);
    }
    return out;
  });
}

function sines(series: FeatureSeries): Float64Array {
  const out = elapsed(series).slice();
  for (let i = 0; i < out.length; i++) out[i] = Math.sin(2 * Math.PI * out[i]);
  return out;
}

function cosines(series: FeatureSeries): Float64Array {
  const out = elapsed(series).slice();
  for (let i = 0; i < out.length; i++) out[i] = Math.cos(2 * Math.PI * out[i]);
  return out;
}

function weekdays({ candles: { time }, context: { calendar } }: FeatureSeries): Float64Array {
  const out = createColumn(time.length);
  for (let i = 0; i < out.length; i++) out[i] = (weekdayOf(tradingDay(calendar, time[i])) + 6) % 7;
  return out;
}

/** The newest value known at each close, while it is kept. */
function sentiments({ closes, context: { sentiment } }: FeatureSeries): Float64Array {
  const out = createColumn(closes.length).fill(Number.NaN);
  if (sentiment === undefined) return out;
  const { knownAt, value, keptMs } = sentiment;
  for (let i = 0, next = 0; i < out.length; i++) {
    while (next < knownAt.length && knownAt[next] <= closes[i]) next++;
    if (next > 0 && closes[i] - knownAt[next - 1] <= keptMs) out[i] = value[next - 1];
  }
  return out;
}

const session = { unit: "share", warmup: 0, needs: "session" } as const;

/** When it is, and what was written of the symbol. */
export const MOMENT: readonly Feature[] = [
  defineFeature({
    ...session,
    id: "session_elapsed",
    title: "Place in the session",
    description: "Share of the session that is over at the close of the bar; 1 for days and weeks.",
    compute: (series) => elapsed(series).slice(),
  }),
  defineFeature({
    ...session,
    id: "session_sin",
    title: "Time of the session, sine",
    description: "Sine of the time of the session, which goes once round from open to close.",
    compute: sines,
  }),
  defineFeature({
    ...session,
    id: "session_cos",
    title: "Time of the session, cosine",
    description: "Cosine of the time of the session, which goes once round from open to close.",
    compute: cosines,
  }),
  defineFeature({
    id: "weekday",
    title: "Day of the week",
    description: "Day of the exchange that the bar belongs to: 0 on Mondays, 6 on Sundays.",
    unit: "weekday",
    warmup: 0,
    compute: weekdays,
  }),
  defineFeature({
    id: "sentiment",
    title: "Sentiment",
    description: "Newest sentiment towards the symbol that was known by the close, -1 to 1.",
    unit: "share",
    warmup: 0,
    asOf: "given",
    signed: true,
    needs: "sentiment",
    compute: sentiments,
  }),
];
