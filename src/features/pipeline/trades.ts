import { allocateTicks } from "../../core/ticks/tick.js";
import type { Bus } from "../../platform/bus.js";
import { AppError, messageOf } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { Trade } from "../../providers/stream-client.js";
import { tradeHeard } from "../candles/live.js";
import type { Pipeline, SentTicks } from "./pipeline.js";

const GATHER_MS = 200;
/** Trades that wait: a stream that is faster than can be kept loses the oldest, which is told. */
const WAITING = 200_000;

/** Hands the trades of vendors' streams to the pipeline, gathered for a moment. */
export function followTrades(parts: {
  readonly bus: Bus;
  readonly pipeline: Pick<Pipeline, "take">;
  readonly log: Log;
}): { stop(): void } {
  const { bus, pipeline, log } = parts;
  let heard: Trade[] = [];
  let lost = 0;
  let isSending = false;

  bus.subscribe(tradeHeard, (trade) => {
    if (heard.length < WAITING) heard.push(trade);
    else lost++;
  });

  async function send(): Promise<void> {
    if (isSending || heard.length === 0) return;
    isSending = true;
    const trades = heard;
    heard = [];
    for (const source of new Set(trades.map((trade) => trade.source))) {
      const own = trades.filter((trade) => trade.source === source);
      try {
        await pipeline.take(sentOf(own), source);
      } catch (error) {
        if (error instanceof AppError && error.code === "pipeline_elsewhere") continue;
        log.warn({ source, trades: own.length, reason: messageOf(error) }, "streamed trades were not taken");
      }
    }
    isSending = false;
    if (lost > 0) {
      log.warn({ trades: lost }, "streamed trades were lost, for they came faster than they are kept");
      lost = 0;
    }
  }

  const timer = setInterval(() => void send(), GATHER_MS);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
    },
  };
}

function sentOf(trades: readonly Trade[]): SentTicks {
  const places = new Map<string, number>();
  const ticks = allocateTicks(trades.length);
  for (const [i, { instrument, time, price, size }] of trades.entries()) {
    const place = places.get(instrument.symbol) ?? places.size;
    places.set(instrument.symbol, place);
    ticks.symbol[i] = place;
    ticks.time[i] = time;
    ticks.price[i] = price;
    // A stream that does not say how much was traded says that there was a trade.
    ticks.size[i] = size ?? 0;
  }
  return {
    symbols: [...places.keys()],
    ticks,
    row: Int32Array.from(trades, (_, i) => i),
    refused: [],
  };
}
