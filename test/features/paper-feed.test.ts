import { describe, expect, it } from "vitest";
import { dayOf } from "../../src/core/market/day.js";
import { classifySymbol } from "../../src/core/market/instrument.js";
import type { Interval } from "../../src/core/market/interval.js";
import type { PricedQuote } from "../../src/features/candles/quotes.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import { createFeed, type FeedOptions } from "../../src/features/paper-trades/feed.js";
import { inSharesOf } from "../../src/features/paper-trades/quote-shares.js";

const known = (symbol: string) => ({ ...classifySymbol(symbol), id: 1, synthetic: false }) as KnownInstrument;

/** A feed over a source of given intervals, and the stretches that were asked of it. */
function feedOf(...intervals: Interval[]) {
  const asked: { from: number; to: number }[] = [];
  const feed = createFeed({
    gateway: { replay: null, intervals: () => intervals } as unknown as FeedOptions["gateway"],
    adjusted: {
      loadRange: async (_instrument: unknown, _interval: unknown, stretch: { from: number; to: number }) => {
        asked.push(stretch);
        return { candles: { time: new Float64Array(0) } };
      },
    } as unknown as FeedOptions["adjusted"],
    quotes: {} as FeedOptions["quotes"],
    actions: {} as FeedOptions["actions"],
    now: () => 0,
  });
  return { feed, asked };
}

describe("bars that orders have not seen", () => {
  const FRIDAY_CLOSE = Date.UTC(2024, 0, 5, 21);
  const MONDAY_NOON = Date.UTC(2024, 0, 8, 17);

  it.each(["1m", "1d"] as const)("reach from a Friday's close into Monday, of %s", async (interval) => {
    const { feed, asked } = feedOf(interval);
    const { toMs } = await feed.bars(known("AAPL"), FRIDAY_CLOSE, MONDAY_NOON);
    expect(toMs).toBe(MONDAY_NOON);
    expect(asked[0].to).toBe(MONDAY_NOON);
  });

  it("come two days at a time where there is no weekend, and while a session is open", async () => {
    const { feed } = feedOf("1m");
    const two = 2 * 86_400_000;
    expect((await feed.bars(known("BTC-USD"), FRIDAY_CLOSE, MONDAY_NOON)).toMs).toBe(FRIDAY_CLOSE + two);
    const open = Date.UTC(2024, 0, 4, 16);
    expect((await feed.bars(known("AAPL"), open, MONDAY_NOON)).toMs).toBe(open + two);
  });
});

describe("a quote of before a split", () => {
  const EX_DAY = Date.UTC(2024, 2, 8, 5);
  const quote = {
    symbol: "AAPL",
    time: EX_DAY - 1,
    open: null,
    bid: 199,
    ask: null,
    volume: 8,
  } as PricedQuote;
  const priceAt = async (
    price: number,
    ratio: number,
    close: number | null,
    at = EX_DAY,
    time = quote.time,
  ) => {
    const told = {
      actions: async () => [{ kind: "split", exDay: dayOf("2024-03-08"), ratio }] as const,
      closeBefore: async (_instrument: unknown, atMs: number) => (atMs === EX_DAY ? close : null),
    };
    return (await inSharesOf(told, known("AAPL"), { ...quote, price, time }, at))?.price ?? null;
  };

  it.each([
    ["of old shares is divided", 198, 4, 200, 49.5],
    ["of new shares already is left", 49.5, 4, 200, 49.5],
    ["of old shares is multiplied where shares were put together", 2.1, 0.1, 2, 21],
    ["of shares put together already is left", 21, 0.1, 2, 21],
    ["is none where no close says what it is of", 198, 4, null, null],
  ] as const)("%s", async (_title, price, ratio, close, expected) => {
    expect(await priceAt(price, ratio, close)).toBe(expected);
  });

  it("counts as it is before the ex-day, and one of the ex-day is of new shares", async () => {
    expect(await priceAt(198, 4, 200, EX_DAY - 1)).toBe(198);
    expect(await priceAt(198, 4, 200, EX_DAY + 1, EX_DAY)).toBe(198);
  });

  it("is divided in all that it says", async () => {
    const told = {
      actions: async () => [{ kind: "split", exDay: dayOf("2024-03-08"), ratio: 4 }] as const,
      closeBefore: async () => 200,
    };
    const found = await inSharesOf(told, known("AAPL"), { ...quote, price: 200 }, EX_DAY);
    expect(found).toMatchObject({ price: 50, bid: 49.75, ask: null, open: null, volume: 32 });
  });
});
