import { upperBound } from "../../core/base/search.js";
import { barClose } from "../../core/market/bar-times.js";
import { calendarOf } from "../../core/market/session.js";
import { AppError } from "../../platform/errors.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import type { Instruments } from "../instruments/instruments.js";

/** The volatility index of a market at the closes of bars, or why there is none. */
export interface IndexReading {
  /** NaN where it was not known; null without an index. */
  readonly column: Float64Array | null;
  /** At the newest bar; null where it was not known. */
  readonly value: number | null;
  readonly source: string | null;
  readonly reason: string | null;
}

const INDEX_SYMBOL = "^VIX";
/** A value counts this long: over a weekend and a holiday. */
const VALID_MS = 4 * 86_400_000;

const absent = (reason: string): IndexReading => ({ column: null, value: null, source: null, reason });

/** Reads the index that belongs to an instrument. Only what cannot be helped fails. */
export function createIndexReader(options: {
  candles: Pick<CandleService, "loadLatest">;
  instruments: Pick<Instruments, "resolve">;
  gateway: { readonly synthetic: boolean };
}): (set: CandleSet, wanted: boolean) => Promise<IndexReading> {
  const { candles, instruments, gateway } = options;

  async function read(set: CandleSet): Promise<IndexReading> {
    const { length } = set.candles.time;
    try {
      const instrument = await instruments.resolve(INDEX_SYMBOL);
      const { source, ...index } = await candles.loadLatest(instrument, "1d", length);
      const column = alignIndex(set, { source, ...index });
      const value = column[length - 1];
      const known = !Number.isNaN(value);
      return {
        column,
        value: known ? value : null,
        source,
        reason: known ? null : `No source has ${INDEX_SYMBOL} as late as the newest bar`,
      };
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
      return absent(error.message);
    }
  }

  return async (set, wanted) => {
    const { assetClass, calendar, symbol } = set.instrument;
    if (!wanted) return absent("Market data were not asked for");
    if (gateway.synthetic) return absent("The synthetic market has no volatility index");
    if (set.candles.interval !== "1d") return absent(`${INDEX_SYMBOL} counts for daily bars only`);
    if (calendar !== "XNYS" || assetClass === "crypto" || symbol === INDEX_SYMBOL)
      return absent(`${INDEX_SYMBOL} is not about ${symbol}`);
    return read(set);
  };
}

/** For each bar the newest close of the index that was known at its own close. */
function alignIndex(set: CandleSet, index: CandleSet): Float64Array {
  const closes = (of: CandleSet) => {
    const calendar = calendarOf(of.instrument.calendar);
    return of.candles.time.map((open) => barClose(calendar, of.candles.interval, open));
  };
  const known = closes(index);
  return closes(set).map((close) => {
    const at = upperBound(known, close) - 1;
    return at >= 0 && close - known[at] <= VALID_MS ? index.candles.close[at] : Number.NaN;
  });
}
