import { describe, expect, it } from "vitest";
import { classifySymbol } from "../../src/core/market/instrument.js";
import type { Interval } from "../../src/core/market/interval.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import { createFeed, type FeedOptions } from "../../src/features/paper-trades/feed.js";

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
