import { parseInstant } from "../../platform/clock.js";
import { invalid } from "./errors.js";
import type { FramedBar } from "./timeframe.js";
import { rfc3339 } from "./times.js";

/** Where a page ended: the last bar that it has, of one of its symbols. */
export interface Place {
  readonly symbol: string;
  readonly time: number;
}

/** A place as a token, the timeframe between; and back. */
export function barToken({ symbol, time }: Place, timeframe: string): string {
  return Buffer.from(`${symbol}|${timeframe}|${rfc3339(time)}`).toString("base64");
}

/** @throws {AppError} `invalid_request` for what is no token of these symbols and this timeframe. */
export function placeOfBar(token: string, symbols: readonly string[], timeframe: string): Place {
  const [symbol, unit, text = "", ...rest] = Buffer.from(token, "base64").toString("utf8").split("|");
  const time = parseInstant(text);
  if (time === null || unit !== timeframe || !symbols.includes(symbol) || rest.length > 0) {
    throw invalid("invalid page_token");
  }
  return { symbol, time };
}

export interface Page {
  readonly bars: Readonly<Record<string, readonly FramedBar[]>>;
  /** Where it ended; null where nothing follows. */
  readonly end: Place | null;
}

/**
 * One page of the bars of all symbols after each other, in the order of the symbols: a limit counts bars, whosever they
 * are, and symbols without any are left out.
 * @param load at most so many bars of a symbol, those after a time where one is given.
 */
export async function pageOf(
  symbols: readonly string[],
  limit: number,
  after: Place | null,
  load: (symbol: string, limit: number, after: number | null) => Promise<readonly FramedBar[]>,
): Promise<Page> {
  const bars: Record<string, readonly FramedBar[]> = {};
  let left = limit;
  const ordered = [...symbols].sort();
  for (const symbol of ordered.filter((each) => after === null || each >= after.symbol)) {
    // One more tells whether anything follows.
    const found = await load(symbol, left + 1, symbol === after?.symbol ? after.time : null);
    const taken = found.slice(0, left);
    if (taken.length > 0) bars[symbol] = taken;
    left -= taken.length;
    const last = taken.at(-1);
    if (last !== undefined && found.length > taken.length) return { bars, end: { symbol, time: last.time } };
    const isLast = symbol === ordered.at(-1);
    if (left === 0 && last !== undefined && !isLast) return { bars, end: { symbol, time: last.time } };
  }
  return { bars, end: null };
}
