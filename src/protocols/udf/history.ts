import type { z } from "zod";
import type { ChartBar, ChartBars } from "./bars.js";
import { invalid } from "./errors.js";
import type { Frame } from "./resolutions.js";
import type { historySchema } from "./schema.js";
import type { Symbols } from "./symbols.js";

/** A question about bars as it is asked; times in seconds. */
export interface HistoryWanted {
  readonly symbol: string;
  readonly resolution: Frame;
  readonly from?: number | undefined;
  readonly to: number;
  /** Wins over `from`; 0 is none. */
  readonly countback?: number | undefined;
  readonly currencyCode?: string | undefined;
  readonly unitId?: string | undefined;
}

export type History = z.input<typeof historySchema>;

/** @throws {AppError} `invalid_request`; as instruments and candles do. */
export async function loadHistory(
  { symbols, bars }: { readonly symbols: Symbols; readonly bars: ChartBars },
  { symbol, resolution, from, to, countback = 0, currencyCode = "", unitId = "" }: HistoryWanted,
): Promise<History> {
  if (countback === 0 && (from === undefined || from > to))
    throw invalid("query from: must not lie after to, and be there where there is no countback");
  const instrument = await symbols.resolve(symbol);
  if (currencyCode !== "" && currencyCode.toUpperCase() !== instrument.currency)
    throw invalid(`query currencyCode: prices of ${instrument.symbol} are in ${instrument.currency}`);
  if (unitId !== "") throw invalid("query unitId: prices are of the unit that is traded");
  if (countback > 0 || from === undefined) {
    const found = await bars.load(instrument, resolution, { from: -Infinity, to, countback });
    return found.length === 0 ? { s: "no_data" } : { s: "ok", ...columnsOf(found) };
  }
  const found = await bars.load(instrument, resolution, { from, to, countback: null });
  if (found.length > 0) return { s: "ok", ...columnsOf(found) };
  const [before] = await bars.load(instrument, resolution, { from: -Infinity, to: from, countback: 1 });
  return before === undefined ? { s: "no_data" } : { s: "no_data", nextTime: before.time };
}

function columnsOf(bars: readonly ChartBar[]) {
  return {
    t: bars.map(({ time }) => time),
    o: bars.map(({ open }) => open),
    h: bars.map(({ high }) => high),
    l: bars.map(({ low }) => low),
    c: bars.map(({ close }) => close),
    v: bars.map(({ volume }) => volume),
  };
}
