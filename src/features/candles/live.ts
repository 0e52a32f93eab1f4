import type { Instrument } from "../../core/market/instrument.js";
import type { Interval } from "../../core/market/interval.js";
import { type Bus, defineEvent } from "../../platform/bus.js";
import { AppError, messageOf } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { Metrics } from "../../platform/metrics.js";
import { createStreamClient, type StreamHealth, type Trade } from "../../providers/stream-client.js";
import type { StreamProtocol } from "../../providers/stream-define.js";
import type { Instruments } from "../instruments/instruments.js";
import type { CandleService } from "./candles.js";
import type { PriceWatch } from "./price-watch.js";

/** Heard by this process for every trade that a stream tells and that may stand. */
export const tradeHeard = defineEvent<Trade>("trade.heard");

/** Trades as vendors' streams tell them. */
export interface Live {
  /** The last trade of a symbol, at most `FRESH_TRADE_MS` old; null for none. */
  lastTrade(symbol: string): Trade | null;
  start(symbols: readonly string[]): void;
  /** Adds symbols to what is followed; those that no source knows are left out. */
  follow(symbols: readonly string[]): void;
  stop(): void;
  health(): readonly StreamHealth[];
}

/** A trade counts as the price of now for so long. */
export const FRESH_TRADE_MS = 30_000;
/** A trade may be so much newer than the clock here. */
const CLOCK_TOLERANCE_MS = 120_000;

export function createLive(options: {
  protocols: readonly StreamProtocol[];
  candles: Pick<CandleService, "ensureStored">;
  watch: Pick<PriceWatch, "admits">;
  instruments: Pick<Instruments, "identify" | "resolve">;
  /** Intervals whose bars are asked for again where trades were not heard. */
  intervals: readonly Interval[];
  bus: Bus;
  now: () => number;
  random: () => number;
  log: Log;
  metrics: Metrics;
}): Live {
  const { protocols, candles, watch, instruments, intervals, bus, now, random, log, metrics } = options;
  const newest = new Map<string, Trade>();

  function onTrade(trade: Trade): void {
    const { symbol } = trade.instrument;
    const known = newest.get(symbol);
    if (trade.time > now() + CLOCK_TOLERANCE_MS || (known !== undefined && known.time > trade.time)) return;
    if (!watch.admits(trade)) return;
    newest.set(symbol, trade);
    bus.publish(tradeHeard, trade);
  }

  /** Bars of the time that was not heard are asked for over REST. */
  async function refill(instrument: Instrument, fromMs: number, toMs: number): Promise<void> {
    try {
      const known = await instruments.resolve(instrument.symbol);
      for (const interval of intervals) await candles.ensureStored(known, interval, fromMs, toMs);
    } catch (error) {
      log.warn({ symbol: instrument.symbol, reason: messageOf(error) }, "gap of a stream not refilled");
    }
  }

  const clients = protocols.map((protocol) =>
    createStreamClient({
      protocol,
      now,
      random,
      log,
      metrics,
      onTrade,
      async onGap(gone, fromMs, toMs) {
        log.info({ stream: protocol.name, symbols: gone.length, fromMs, toMs }, "gap of a stream");
        for (const instrument of gone) await refill(instrument, fromMs, toMs);
      },
    }),
  );

  /** The instrument of a symbol; none where no source knows it. */
  function carried(symbol: string): Instrument[] {
    try {
      return [instruments.identify(symbol)];
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      log.warn({ symbol, reason: error.message }, "not followed by streams");
      return [];
    }
  }

  function follow(symbols: readonly string[]): void {
    const followed = clients.length === 0 ? [] : symbols.flatMap(carried);
    for (const client of clients) client.follow(followed);
  }

  return {
    lastTrade(symbol) {
      const trade = newest.get(symbol);
      return trade !== undefined && now() - trade.time <= FRESH_TRADE_MS ? trade : null;
    },
    start(symbols) {
      follow(symbols);
      for (const client of clients) client.start();
    },
    follow,
    stop() {
      for (const client of clients) client.stop();
    },
    health: () => clients.map((client) => client.health()),
  };
}
