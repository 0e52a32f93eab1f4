import type { z } from "zod";
import type { LatestQuote, LatestTrade, Snapshot } from "./latest.js";
import type {
  barSchema,
  coinQuoteSchema,
  coinSnapshotSchema,
  coinTradeSchema,
  quoteSchema,
  snapshotSchema,
  tradeSchema,
} from "./schema.js";
import type { Market } from "./symbols.js";
import type { FramedBar } from "./timeframe.js";
import { rfc3339 } from "./times.js";

/** Shares are counted whole, which those of before a split need not be; of coins a billionth is told. */
export function barView(bar: FramedBar, market: Market): z.input<typeof barSchema> {
  const { time, open, high, low, close, volume } = bar;
  const v = market === "us_equity" ? Math.round(volume) : Number(volume.toFixed(9));
  return { t: rfc3339(time), o: open, h: high, l: low, c: close, v, n: null, vw: null };
}

export function coinQuoteView({ time, bid, ask }: LatestQuote): z.input<typeof coinQuoteSchema> {
  return { t: rfc3339(time), bp: bid, bs: null, ap: ask, as: null };
}

export function quoteView(quote: LatestQuote): z.input<typeof quoteSchema> {
  return { ...coinQuoteView(quote), bx: null, ax: null, c: null, z: null };
}

export function coinTradeView({ time, price, size }: LatestTrade): z.input<typeof coinTradeSchema> {
  return { t: rfc3339(time), p: price, s: size, i: null, tks: null };
}

export function tradeView(trade: LatestTrade): z.input<typeof tradeSchema> {
  const { tks: _tks, ...told } = coinTradeView(trade);
  return { ...told, x: null, c: null, z: null };
}

export function snapshotView(snapshot: Snapshot): z.input<typeof snapshotSchema> {
  const { trade, quote } = snapshot;
  return {
    ...(trade === null ? {} : { latestTrade: tradeView(trade) }),
    ...(quote === null ? {} : { latestQuote: quoteView(quote) }),
    ...barsView(snapshot, "us_equity"),
  };
}

export function coinSnapshotView(snapshot: Snapshot): z.input<typeof coinSnapshotSchema> {
  const { trade, quote } = snapshot;
  return {
    ...(trade === null ? {} : { latestTrade: coinTradeView(trade) }),
    ...(quote === null ? {} : { latestQuote: coinQuoteView(quote) }),
    ...barsView(snapshot, "crypto"),
  };
}

function barsView({ minute, day, previousDay }: Snapshot, market: Market) {
  return {
    ...(minute === null ? {} : { minuteBar: barView(minute, market) }),
    ...(day === null ? {} : { dailyBar: barView(day, market) }),
    ...(previousDay === null ? {} : { prevDailyBar: barView(previousDay, market) }),
  };
}
