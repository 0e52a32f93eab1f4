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
        return { candles: { time: new Float64Array(0) }, trouble: null };
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

describe("bars of the rest of a session long ago", () => {
  const SEEN = Date.UTC(2024, 0, 4, 16);
  const MONTH_LATER = SEEN + 30 * 86_400_000;
  const CLOSE = Date.UTC(2024, 0, 4, 21);
  /** A source that has bars of an interval from an instant on, and answers or not. */
  function feedWith(
    times: Partial<Record<Interval, number>>,
    trouble: Partial<Record<Interval, string>> = {},
  ) {
    return createFeed({
      gateway: {
        replay: null,
        intervals: () => ["1m", "5m", "1d"],
      } as unknown as FeedOptions["gateway"],
      adjusted: {
        loadRange: async (_instrument: unknown, interval: Interval) => ({
          candles: { time: Float64Array.from(times[interval] === undefined ? [] : [times[interval]]) },
          trouble: trouble[interval] ?? null,
        }),
      } as unknown as FeedOptions["adjusted"],
      quotes: {} as FeedOptions["quotes"],
      actions: {} as FeedOptions["actions"],
      now: () => 0,
    }).bars(known("AAPL"), SEEN, MONTH_LATER);
  }
  const MORNING = Date.UTC(2024, 0, 4, 14, 30);

  it("are the finest that there are, up to its close", async () => {
    expect(await feedWith({ "1m": SEEN, "5m": SEEN, "1d": MORNING })).toMatchObject({
      interval: "1m",
      toMs: CLOSE,
    });
    expect(await feedWith({ "1m": SEEN - 1, "5m": SEEN, "1d": MORNING })).toMatchObject({ interval: "5m" });
    const refused = { "1m": "minutes are of the last week" };
    expect(await feedWith({ "5m": SEEN, "1d": MORNING }, refused)).toMatchObject({ interval: "5m" });
  });

  it("are none where a source that answers has none, and are waited for while it does not", async () => {
    expect(await feedWith({ "1d": MORNING })).toMatchObject({ interval: "1d", toMs: CLOSE });
    const silent = { "1m": "silent", "5m": "silent", "1d": "silent" };
    await expect(feedWith({}, silent)).rejects.toMatchObject({ code: "provider_unavailable" });
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
