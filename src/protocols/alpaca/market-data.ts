import type { Adjustment } from "../../core/market/adjust.js";
import { DAY_MS } from "../../core/market/day.js";
import { calendarOf } from "../../core/market/session.js";
import { offsetAt } from "../../core/market/zone.js";
import type { Instruments } from "../../features/instruments/instruments.js";
import type { KnownInstrument } from "../../features/instruments/store.js";
import type { FramedBars } from "./bars.js";
import { invalid } from "./errors.js";
import { barToken, type Page, pageOf, placeOfBar } from "./pages.js";
import { findInstrument, type Market, wireSymbol } from "./symbols.js";
import { type Timeframe, timeframeText } from "./timeframe.js";
import { endOf, type Moment, startOf } from "./times.js";

/** What a request for bars says beside its symbols. */
export interface BarsQuery {
  readonly timeframe: Timeframe;
  readonly start?: Moment | undefined;
  readonly end?: Moment | undefined;
  readonly limit: number;
  readonly page_token?: string | undefined;
  readonly sort: "asc" | "desc";
}

export interface MarketData {
  /** Instruments of a market by the dialect's spelling; those that nobody knows are left out. */
  find(market: Market, texts: readonly string[]): Promise<ReadonlyMap<string, KnownInstrument>>;
  /** One page of bars and the token of the next. @param view which prices; as given where there is no choice. */
  loadPage(
    market: Market,
    texts: readonly string[],
    query: BarsQuery,
    view: Adjustment | "given",
  ): Promise<{ readonly page: Page; readonly token: string | null }>;
  /** What work gives of each instrument, in the order of the symbols; without those of which it gives nothing. */
  each<T>(
    market: Market,
    texts: readonly string[],
    work: (instrument: KnownInstrument) => Promise<T | null>,
  ): Promise<Map<string, T>>;
}

const AT_A_TIME = 8;

export function createMarketData(options: {
  readonly instruments: Pick<Instruments, "identify" | "resolve">;
  readonly bars: FramedBars;
  readonly now: () => number;
}): MarketData {
  const { instruments, bars, now } = options;

  async function find(market: Market, texts: readonly string[]) {
    const found = new Map<string, KnownInstrument>();
    const all = await someAtATime(texts, (text) => findInstrument(instruments, market, text));
    for (const instrument of all) if (instrument !== null) found.set(wireSymbol(instrument), instrument);
    return found;
  }

  return {
    find,
    async loadPage(market, texts, query, view) {
      const { timeframe, limit, sort, page_token: token } = query;
      const { fromMs, toMs } = stretchOf(market, query, now());
      const known = await find(market, texts);
      const name = timeframeText(timeframe);
      const after = token === undefined ? null : placeOfBar(token, [...known.keys()], name);
      const page = await pageOf([...known.keys()], limit, after, async (symbol, most, afterMs) => {
        const instrument = known.get(symbol);
        if (instrument === undefined) return [];
        const from = sort === "asc" && afterMs !== null ? afterMs + 1 : fromMs;
        const to = sort === "desc" && afterMs !== null ? afterMs : toMs;
        return bars.load(instrument, { timeframe, fromMs: from, toMs: to, limit: most, sort, view });
      });
      return { page, token: page.end === null ? null : barToken(page.end, name) };
    },
    async each<T>(
      market: Market,
      texts: readonly string[],
      work: (instrument: KnownInstrument) => Promise<T | null>,
    ) {
      const known = [...(await find(market, texts))].sort(([a], [b]) => (a < b ? -1 : 1));
      const values = await someAtATime(known, ([, instrument]) => work(instrument));
      return new Map(
        known.flatMap(([symbol], i): [string, T][] => {
          const value = values[i];
          return value === null ? [] : [[symbol, value]];
        }),
      );
    },
  };
}

/** The stretch that is asked for: of today unless it is said, in the market's zone. */
function stretchOf(market: Market, { start, end }: Pick<BarsQuery, "start" | "end">, nowMs: number) {
  const { zone } = calendarOf(market === "crypto" ? "24x7" : "XNYS");
  const today = Math.floor((nowMs + offsetAt(zone, nowMs)) / DAY_MS);
  const fromMs = startOf(start ?? { day: today }, zone);
  const toMs = end === undefined ? nowMs + 1 : endOf(end, zone);
  if (fromMs >= toMs) throw invalid("end should not be before start");
  return { fromMs, toMs };
}

/** Results in the order of what is worked on, a few at a time. */
async function someAtATime<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  async function worker(): Promise<void> {
    for (let i = next++; i < all.length; i = next++) results[i] = await work(all[i]);
  }
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, all.length) }, worker));
  return results;
}

/** The prices that words of the dialect name. @throws {AppError} for what no source tells apart. */
export function viewOf(adjustment: string): Adjustment {
  const parts = new Set(adjustment.split(",").map((part) => part.trim()));
  for (const part of parts) if (!ADJUSTMENTS.has(part)) throw invalid(`invalid adjustment: ${adjustment}`);
  if (parts.has("all") || (parts.has("split") && parts.has("dividend"))) return "all";
  if (parts.size > 1 && parts.has("raw")) throw invalid(`invalid adjustment: ${adjustment}`);
  if (parts.has("raw")) return "raw";
  if (parts.has("split") && parts.size === 1) return "split";
  throw invalid(`adjustment ${adjustment} is not available here: raw, split and all are`);
}

const ADJUSTMENTS: ReadonlySet<string> = new Set(["raw", "split", "dividend", "spin-off", "all"]);
