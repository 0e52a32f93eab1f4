import { INTERVAL_MS } from "../../core/market/interval.js";
import { messageOf } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Gateway } from "../../providers/gateway.js";
import type { Instruments } from "../instruments/instruments.js";
import type { CandleService } from "./candles.js";

const EVERY_MS = 3_600_000;
const TIMEOUT_MS = 1_800_000;
/** Bars, at most, that are asked for and stored at a time, so that nothing else waits long for its turn. */
const PIECE_BARS = 10_000;

/** Stores what recorded sources have, whole, in their own intervals: once, since what is covered is not asked for again. */
export function createImport(options: {
  gateway: Gateway;
  instruments: Instruments;
  candles: CandleService;
  now: () => number;
  log: Log;
}): LoopDefinition | null {
  const { gateway, instruments, candles, now, log } = options;
  const recorded = gateway.providers.filter((provider) => provider.recorded);
  if (recorded.length === 0) return null;
  return {
    name: "history-import",
    everyMs: () => EVERY_MS,
    timeoutMs: TIMEOUT_MS,
    async run(_nowMs, signal) {
      let series = 0;
      for (const provider of recorded) {
        for (const listed of provider.listInstruments()) {
          for (const interval of provider.intervals(listed)) {
            signal.throwIfAborted();
            try {
              const instrument = await instruments.resolve(listed.symbol);
              const end = await provider.feedNowMs(instrument, interval, now());
              const step = PIECE_BARS * INTERVAL_MS[interval];
              let from = await provider.earliestMs(instrument, interval, now());
              for (; from < end; from += step) {
                signal.throwIfAborted();
                await candles.ensureStored(instrument, interval, from, Math.min(end, from + step));
              }
              series++;
            } catch (error) {
              if (signal.aborted) throw error;
              log.warn({ symbol: listed.symbol, interval, reason: messageOf(error) }, "history not imported");
            }
          }
        }
      }
      log.info({ series }, "history imported");
    },
  };
}
