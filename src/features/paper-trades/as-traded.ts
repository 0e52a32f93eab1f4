import type { Interval } from "../../core/market/interval.js";
import { AppError } from "../../platform/errors.js";
import type { AdjustedCandles } from "../candles/adjusted.js";
import type { CandleSet } from "../candles/candles.js";
import type { KnownInstrument } from "../instruments/store.js";

/**
 * Candles at the prices that were traded, which fills and splits of an account are told in; as their source gave them
 * where those cannot be had. @throws {AppError} as candles do.
 */
export async function loadAsTraded(
  adjusted: Pick<AdjustedCandles, "loadRange">,
  instrument: KnownInstrument,
  interval: Interval,
  stretch: { readonly from: number; readonly to: number },
  limit: number,
): Promise<CandleSet> {
  try {
    return await adjusted.loadRange(instrument, interval, stretch, limit, { view: "raw" });
  } catch (error) {
    if (!(error instanceof AppError && error.code === "adjustment_unavailable")) throw error;
    return adjusted.loadRange(instrument, interval, stretch, limit, { view: "given" });
  }
}
