import { z } from "zod";
import { tradeHeard } from "../../features/candles/live.js";
import type { Instruments } from "../../features/instruments/instruments.js";
import type { KnownInstrument } from "../../features/instruments/store.js";
import type { Bus } from "../../platform/bus.js";
import { messageOf } from "../../platform/errors.js";
import { noticeHeard } from "../../platform/event-log.js";
import type { Log } from "../../platform/log.js";
import { type Channel, createAudience, type Listener, type Told } from "./audience.js";
import type { Latest, LatestQuote, LatestTrade } from "./latest.js";
import { findInstrument, type Market, marketOf, wireSymbol } from "./symbols.js";
import type { FramedBar } from "./timeframe.js";
import { barView, coinQuoteView, coinTradeView, quoteView, tradeView } from "./views.js";

/** Prices as they come: what streams and scans tell at once, and what else is wanted, looked at every few seconds. */
export interface Feed {
  /** Begins to tell somebody, or goes on after its wants have changed. */
  update(listener: Listener): void;
  remove(listener: Listener): void;
  /** Looks at what is wanted. Never overlaps. */
  look(): Promise<void>;
  close(): void;
}

const MINUTE_MS = 60_000;

const noticeSchema = z.object({
  timestamp: z.iso.datetime(),
  open: z.number(),
  high: z.number(),
  low: z.number(),
  close: z.number(),
  volume: z.number(),
});

export interface FeedOptions {
  readonly bus: Bus;
  readonly latest: Latest;
  readonly instruments: Pick<Instruments, "identify" | "resolve">;
  readonly follow: (symbols: readonly string[]) => void;
  readonly lookEveryMs: number;
  readonly now: () => number;
  readonly log: Log;
}

export function createFeed(options: FeedOptions): Feed {
  const { bus, latest, instruments, follow, now, log } = options;
  const audience = createAudience(now);
  const { tell, tellNew } = audience;
  let looking: Promise<void> | null = null;

  function tellBar(market: Market, symbol: string, bar: FramedBar, endMs: number): void {
    const { t: _t, ...fields } = barView(bar, market);
    tellNew({ market, symbol, channel: "bars", fields, time: bar.time }, endMs, "updatedBars");
  }

  const ends = [
    bus.subscribe(tradeHeard, ({ instrument, price, size, time }) => {
      const market = marketOf(instrument);
      if (market === null || audience.size() === 0) return;
      const fields = tradeFields({ price, size, time }, market);
      tell({ market, symbol: wireSymbol(instrument), channel: "trades", fields, time });
    }),
    bus.subscribe(noticeHeard, ({ topic, payload }) => {
      const [kind, symbol, interval] = topic.split(":");
      if (kind !== "candles" || interval !== "1m" || symbol === undefined || audience.size() === 0) return;
      const bar = noticeSchema.safeParse(payload);
      const instrument = instruments.identify(symbol);
      const market = marketOf(instrument);
      if (!bar.success || market === null) return;
      const time = Date.parse(bar.data.timestamp);
      tellBar(market, wireSymbol(instrument), { ...bar.data, time }, Number.POSITIVE_INFINITY);
    }),
  ];

  async function lookAt(
    market: Market,
    instrument: KnownInstrument,
    channels: ReadonlySet<Channel>,
  ): Promise<void> {
    const symbol = wireSymbol(instrument);
    if (channels.has("bars") || channels.has("updatedBars")) {
      const bar = await latest.minute(instrument);
      if (bar !== null) tellBar(market, symbol, bar, bar.time + MINUTE_MS);
    }
    if (!["trades", "quotes", "dailyBars"].some((channel) => channels.has(channel as Channel))) return;
    const { trade, quote, day } = await latest.snapshot(instrument);
    const told = { market, symbol };
    if (trade !== null && channels.has("trades")) {
      const { time } = trade;
      tellNew({ ...told, channel: "trades", fields: tradeFields(trade, market), time }, time, null);
    }
    if (quote !== null && channels.has("quotes")) {
      const { time } = quote;
      tellNew({ ...told, channel: "quotes", fields: quoteFields(quote, market), time }, time, "quotes");
    }
    if (day !== null && channels.has("dailyBars")) {
      const { t: _t, ...fields } = barView(day, market);
      // The day so far is where it begins; what comes of it is told.
      tellNew({ ...told, channel: "dailyBars", fields, time: day.time }, 0, "dailyBars");
    }
  }

  async function lookAtAll(): Promise<void> {
    for (const [key, channels] of audience.wanted()) {
      const [market, symbol] = key.split(" ") as [Market, string];
      try {
        const instrument = await findInstrument(instruments, market, symbol);
        if (instrument !== null) await lookAt(market, instrument, channels);
      } catch (error) {
        log.debug({ symbol, reason: messageOf(error) }, "not looked at for a stream");
      }
    }
  }

  function look(): Promise<void> {
    looking ??= lookAtAll().finally(() => {
      looking = null;
    });
    return looking;
  }

  const timer = setInterval(() => void look(), options.lookEveryMs);
  timer.unref();
  return {
    update(listener) {
      audience.update(listener);
      const symbols = new Set(Object.values(listener.wants).flatMap((wanted) => [...wanted]));
      follow([...symbols].filter((symbol) => symbol !== "*"));
    },
    remove: audience.remove,
    look,
    close() {
      clearInterval(timer);
      for (const end of ends) end();
    },
  };
}

/** A trade without its time. */
function tradeFields(trade: LatestTrade, market: Market): Told["fields"] {
  const { t: _t, ...fields } = market === "crypto" ? coinTradeView(trade) : tradeView(trade);
  return fields;
}

/** A quote without its time. */
function quoteFields(quote: LatestQuote, market: Market): Told["fields"] {
  const { t: _t, ...fields } = market === "crypto" ? coinQuoteView(quote) : quoteView(quote);
  return fields;
}
