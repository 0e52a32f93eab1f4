import { z } from "zod";
import type { Candles } from "../../core/market/candles.js";
import type { CandleSet } from "../../features/candles/candles.js";
import type { Market } from "../../features/candles/market.js";
import type { PricedQuote } from "../../features/candles/quotes.js";
import { provenanceOf } from "../../features/candles/views.js";
import { isoTime } from "../../platform/http.js";
import { atMost, detail, digits, figure, inDigits, interval, symbol, time } from "./schema.js";
import { defineTool, type Provenance, type Tool } from "./tool.js";

export interface MarketToolOptions {
  readonly market: Pick<Market, "loadQuote" | "loadQuotes" | "loadBars" | "rank">;
  /** Whether all prices are of the synthetic market. */
  readonly synthetic: boolean;
  readonly now: () => number;
}

const quoteRow = z.object({
  symbol: z.string(),
  price: z.number(),
  change_percent: figure.describe("Against the previous close"),
  bid: figure,
  ask: figure,
  volume: figure,
  time: time.describe("Of the price"),
  source: z.string().nullable(),
  stale: z.boolean(),
});
const missingRows = z.array(z.object({ symbol: z.string(), reason: z.string() }));

export function marketTools({ market, synthetic, now }: MarketToolOptions): readonly Tool[] {
  /** Of several quotes: the source of the first, the time of the oldest. */
  function provenance(quotes: readonly PricedQuote[]): Provenance {
    const oldest = quotes.reduce((least, quote) => Math.min(least, quote.time), now());
    const [first] = quotes;
    const stale = quotes.length === 0 || quotes.some((quote) => quote.stale);
    return { synthetic, source: first?.source ?? null, as_of: isoTime(oldest), stale };
  }

  const getQuote = defineTool({
    name: "get_quote",
    title: "Latest prices",
    description:
      "Latest price, change, bid and ask of up to 10 symbols. Use it for what something costs now; for what it did before use get_candles.",
    access: "viewer",
    effect: "reads",
    input: z.strictObject({ symbols: z.array(symbol).min(1).max(10) }),
    output: { quotes: z.array(quoteRow), missing: missingRows.describe("Symbols without a price, and why") },
    async run({ symbols }) {
      const [only] = symbols;
      // Of one symbol its own error says more than a row that is missing.
      const found =
        symbols.length === 1
          ? { quotes: [await market.loadQuote(only)], missing: [] }
          : await market.loadQuotes(symbols);
      return { quotes: found.quotes.map(quoteRowOf), missing: found.missing, ...provenance(found.quotes) };
    },
  });

  const scanMarket = defineTool({
    name: "scan_market",
    title: "Liveliest symbols",
    description:
      "Symbols that this server watches, ranked by size of today's change (trending) or by volume. Use it to find candidates before get_signal or analyze_symbol.",
    access: "viewer",
    effect: "reads",
    input: z.strictObject({ by: z.enum(["trending", "volume"]).default("trending"), limit: atMost(30, 10) }),
    output: {
      by: z.enum(["trending", "volume"]),
      quotes: z.array(quoteRow),
      without_price: z.number().int(),
    },
    async run({ by, limit }) {
      const { quotes, missing } = await market.rank(by, limit);
      return { by, quotes: quotes.map(quoteRowOf), without_price: missing.length, ...provenance(quotes) };
    },
  });

  return [getQuote, candlesTool(market), scanMarket];
}

function quoteRowOf(quote: PricedQuote): z.input<typeof quoteRow> {
  return {
    symbol: quote.symbol,
    price: inDigits(quote.price),
    change_percent: digits(quote.changePercent),
    bid: digits(quote.bid),
    ask: digits(quote.ask),
    volume: digits(quote.volume),
    time: isoTime(quote.time),
    source: quote.source,
    stale: quote.stale,
  };
}

/** Bars of an answer at most, and those that a summary shows. */
const BARS_MOST = 200;
const SUMMARY_ROWS = 5;

/** No tuple: older clients read its schema as one that allows nothing. */
const candleRow = z
  .array(z.union([time, z.number()]))
  .length(6)
  .describe("Open time, open, high, low, close, volume");

function candlesTool(market: MarketToolOptions["market"]): Tool {
  return defineTool({
    name: "get_candles",
    title: "Price history",
    description:
      "Closed bars of a symbol. By default a summary (change, range, volatility, volume, last 5 bars); detail full lists every bar, newest last. Bars under way are never included.",
    access: "viewer",
    effect: "reads",
    input: z.strictObject({ symbol, interval, bars: atMost(BARS_MOST, 60), detail }),
    output: {
      symbol: z.string(),
      interval: z.string(),
      bars: z.number().int(),
      summary: z.object({
        from: time,
        to: time.describe("Open of the newest bar"),
        first_open: z.number(),
        last_close: z.number(),
        change_percent: figure,
        high: z.number(),
        high_at: time,
        low: z.number(),
        low_at: time,
        average_volume: figure,
        volatility_percent: figure.describe("Standard deviation of the changes from close to close"),
      }),
      rows: z.array(candleRow).describe("The newest last; five of them in a summary"),
      note: z.string().nullable().describe("What is peculiar about the bars"),
      trouble: z.string().nullable().describe("Why stored bars or another source stand in"),
    },
    async run({ symbol: text, interval: length, bars, detail: wanted }) {
      const set = await market.loadBars(text, length, { period: "max" }, bars);
      const { source, synthetic, as_of, stale } = provenanceOf(set);
      return {
        symbol: set.instrument.symbol,
        interval: length,
        bars: set.candles.time.length,
        summary: summaryOf(set.candles),
        rows: rowsOf(set, wanted === "full" ? BARS_MOST : SUMMARY_ROWS),
        note: set.note,
        trouble: set.trouble,
        ...{ source, synthetic, as_of, stale },
      };
    },
  });
}

function rowsOf({ candles }: CandleSet, most: number): z.input<typeof candleRow>[] {
  const { time: opens, open, high, low, close, volume } = candles;
  const from = Math.max(0, opens.length - most);
  return Array.from(opens.subarray(from), (openMs, k) => {
    const i = from + k;
    const [o, h, l, c, v] = [open, high, low, close, volume].map((column) => inDigits(column[i]));
    return [isoTime(openMs), o, h, l, c, v];
  });
}

/** @param candles at least one bar. */
function summaryOf({ time: opens, open, high, low, close, volume }: Candles) {
  const last = opens.length - 1;
  let top = 0;
  let bottom = 0;
  let traded = 0;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i <= last; i++) {
    if (high[i] > high[top]) top = i;
    if (low[i] < low[bottom]) bottom = i;
    traded += volume[i];
    if (i === 0) continue;
    const change = close[i] / close[i - 1] - 1;
    sum += change;
    squares += change * change;
  }
  const variance = last < 2 ? Number.NaN : (squares - (sum * sum) / last) / (last - 1);
  return {
    from: isoTime(opens[0]),
    to: isoTime(opens[last]),
    first_open: inDigits(open[0]),
    last_close: inDigits(close[last]),
    change_percent: digits(100 * (close[last] / open[0] - 1)),
    high: inDigits(high[top]),
    high_at: isoTime(opens[top]),
    low: inDigits(low[bottom]),
    low_at: isoTime(opens[bottom]),
    average_volume: digits(traded / (last + 1)),
    volatility_percent: digits(100 * Math.sqrt(Math.max(0, variance))),
  };
}
