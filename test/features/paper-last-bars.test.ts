import { describe, expect, it } from "vitest";
import { cashRules } from "../../src/core/execution/account.js";
import { GTC_DAYS } from "../../src/core/execution/context.js";
import { NO_COSTS, type Slippage } from "../../src/core/execution/costs.js";
import { type Candles, candlesFromRows } from "../../src/core/market/candles.js";
import { classifySymbol } from "../../src/core/market/instrument.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import { createLastBars, lastBarOf, needsLastBar } from "../../src/features/paper-trades/last-bars.js";

const known = (symbol: string) => ({ ...classifySymbol(symbol), id: 1, synthetic: false }) as KnownInstrument;

const MINUTE = 60_000;
const START = Date.UTC(2024, 0, 4, 16);
const LATER = START + 60 * MINUTE;

/** Minutes from the start on, each with a range one above that of the one before. */
function minutes(volumes: readonly number[]): Candles {
  const rows = volumes.map((volume, k) => ({
    ...{ time: START + k * MINUTE, open: 100, high: 101 + k, low: 100, close: 100 },
    volume,
  }));
  return candlesFromRows("AAPL", "1m", rows);
}

describe("the last bar", () => {
  it("ends when it closed, and has the range of the fourteen up to it", () => {
    const bars = minutes([...new Array(14).fill(5), 7]);
    expect(lastBarOf(known("AAPL"), bars, LATER)).toEqual({
      until: START + 15 * MINUTE,
      volume: 7,
      range: 8.5,
    });
    expect(lastBarOf(known("AAPL"), minutes([3]), LATER)?.range).toBeNaN();
    expect(lastBarOf(known("AAPL"), minutes([]), LATER)).toBeNull();
  });

  it("is one that had closed, whatever is stored", () => {
    const at = (ms: number) => lastBarOf(known("AAPL"), minutes([3, 4, 5]), START + ms);
    expect(at(3 * MINUTE - 1)).toMatchObject({ until: START + 2 * MINUTE, volume: 4 });
    expect(at(3 * MINUTE)?.volume).toBe(5);
    expect(at(MINUTE - 1)).toBeNull();
  });

  it("of a pair of currencies has a volume only where its source tells any", () => {
    expect(lastBarOf(known("EURUSD=X"), minutes([0, 0]), LATER)?.volume).toBeNull();
    expect(lastBarOf(known("EURUSD=X"), minutes([4, 0]), LATER)?.volume).toBe(0);
    expect(lastBarOf(known("AAPL"), minutes([0, 0]), LATER)?.volume).toBe(0);
  });

  it("is needed where a limit or slippage depends on it", () => {
    const rules = (slippage: Slippage, volumeShare: number | null) => ({
      ...{ account: cashRules("USD"), gtcDays: GTC_DAYS },
      ...{ costs: { ...NO_COSTS, slippage }, volumeShare },
    });
    const fixed = { kind: "fixed", bps: 5 } as const;
    expect(needsLastBar(rules(fixed, null))).toBe(false);
    expect(needsLastBar(rules(fixed, 0.1))).toBe(true);
    expect(needsLastBar(rules({ kind: "volume_share", impact: 1 }, null))).toBe(true);
    expect(needsLastBar(rules({ kind: "volatility", share: 1, elseBps: 0 }, null))).toBe(true);
  });
});

describe("last bars that are kept", () => {
  /** A source that has so many minutes, and how often it was asked. */
  function source(count: number) {
    const state = { count, asked: 0, now: 0, silent: false };
    const load = async () => {
      state.asked++;
      return state.silent ? null : minutes(new Array(state.count).fill(1));
    };
    return { state, lastBar: createLastBars({ load, now: () => state.now }) };
  }

  it("are asked for once a minute, however many orders come", async () => {
    const { state, lastBar } = source(5);
    const at = START + 5 * MINUTE;
    const found = await Promise.all(
      Array.from({ length: 200 }, (_, k) => lastBar(known("AAPL"), at + k * 290)),
    );
    expect(new Set(found.map((bar) => bar?.until))).toEqual(new Set([at]));
    state.now += 50_000;
    await lastBar(known("AAPL"), at + MINUTE - 1);
    expect(state.asked).toBe(1);
    state.count++;
    expect((await lastBar(known("AAPL"), at + MINUTE))?.until).toBe(at + MINUTE);
    expect(state.asked).toBe(2);
  });

  it("are asked for again after two seconds while the newest has not come, or no source tells", async () => {
    const { state, lastBar } = source(4);
    const at = START + 5 * MINUTE;
    expect((await lastBar(known("AAPL"), at))?.until).toBe(at - MINUTE);
    state.count = 5;
    state.now = 1_999;
    expect((await lastBar(known("AAPL"), at + 1_999))?.until).toBe(at - MINUTE);
    state.now = 2_000;
    expect((await lastBar(known("AAPL"), at + 2_000))?.until).toBe(at);
    expect(state.asked).toBe(2);
    state.silent = true;
    expect(await lastBar(known("AAPL"), at + MINUTE)).toBeNull();
    state.silent = false;
    state.now += 2_000;
    expect(await lastBar(known("AAPL"), at + MINUTE + 2_000)).not.toBeNull();
  });
});
