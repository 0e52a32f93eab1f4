import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { zoneOf } from "../../src/core/market/zone.js";
import { attribute, layerShares } from "../../src/core/performance/attribution.js";
import { type Cause, causeOf, contributionsOf, voicesFor } from "../../src/core/performance/cause.js";
import {
  causeKey,
  hourKey,
  statisticsBy,
  statisticsOf,
  symbolKey,
} from "../../src/core/performance/statistics.js";
import { causeFor, closedTrade, HOUR_MS, tradesOfNets } from "../fixtures/closed-trades.js";

describe("statistics of trades", () => {
  it("of seven trades, worked out by hand", () => {
    const trades = tradesOfNets(100, 50, -30, 0, -20, -50, 200);
    expect(statisticsOf(trades)).toEqual({
      trades: 7,
      wins: 3,
      losses: 3,
      breakEvens: 1,
      winRate: 3 / 7,
      net: 250e6,
      gross: 250e6,
      fees: 0,
      dividends: 0,
      borrow: 0,
      won: 350e6,
      lost: -100e6,
      averageWin: 350e6 / 3,
      averageLoss: -100e6 / 3,
      payoff: 3.5,
      profitFactor: 3.5,
      noLosses: false,
      expectancy: 250e6 / 7,
      best: 200e6,
      worst: -50e6,
      longestWins: 2,
      longestLosses: 2,
      averageHoldingMs: HOUR_MS,
      ambiguous: 0,
    });
  });

  it("have no profit factor without losses, and nothing of no trade", () => {
    const won = statisticsOf(tradesOfNets(5, 6));
    expect(won).toMatchObject({ profitFactor: null, noLosses: true, payoff: null, averageLoss: null });
    const none = statisticsOf([]);
    expect(none).toMatchObject({ trades: 0, net: 0, noLosses: true });
    for (const name of [
      "winRate",
      "averageWin",
      "expectancy",
      "best",
      "worst",
      "averageHoldingMs",
    ] as const) {
      expect(none[name], name).toBeNull();
    }
  });

  it("count runs in the order of exits, not of the list", () => {
    const [a, b, c] = tradesOfNets(1, -1, 1);
    expect(statisticsOf([a, c, b]).longestWins).toBe(1);
    const later = { ...b, closedAt: c.closedAt + 1 };
    expect(statisticsOf([a, later, c]).longestWins).toBe(2);
  });

  it("by symbol, hour, pattern and strategy", () => {
    const entry = Date.UTC(2024, 6, 1, 14, 30);
    const trades = [
      closedTrade(1, { net: 5, symbol: "BBB", openedAt: entry }),
      closedTrade(2, { net: -2, openedAt: entry }),
      closedTrade(3, { net: 1, openedAt: entry + HOUR_MS, side: "short" }),
    ];
    const causes = new Map([
      ["o1", causeFor({ pattern: "hammer", strategy: "swing" })],
      ["o2", causeFor({ pattern: "hammer" })],
      // Against its signal: the pattern is what it was placed for nevertheless.
      ["o3", causeFor({ pattern: "hammer" })],
    ]);
    const told = (groups: ReturnType<typeof statisticsBy<string | number>>) =>
      groups.map(({ key, statistics }) => `${key} ${statistics.trades} ${statistics.net}`);
    expect(told(statisticsBy(trades, symbolKey))).toEqual(["AAA 2 -1", "BBB 1 5"]);
    expect(told(statisticsBy(trades, hourKey(zoneOf("America/New_York"))))).toEqual(["10 2 3", "11 1 1"]);
    expect(told(statisticsBy(trades, hourKey(zoneOf("Asia/Kolkata"))))).toEqual(["20 2 3", "21 1 1"]);
    expect(told(statisticsBy(trades, causeKey(causes, "pattern")))).toEqual(["hammer 3 4"]);
    expect(told(statisticsBy(trades, causeKey(causes, "strategy")))).toEqual(["manual 2 -1", "swing 1 5"]);
  });
});

describe("attribution", () => {
  const rows = (table: ReturnType<typeof attribute>["layers"]) =>
    table.map(({ name, contribution, trades, winRate }) => [name, contribution, trades, winRate]);

  it("splits a trade over layers by what they contributed, those against with the opposite sign", () => {
    const layers = contributionsOf([
      { name: "rules", value: 0.8, weight: 0.5 },
      { name: "timeframes", value: 0.4, weight: 0.25 },
      { name: "sentiment", value: -0.4, weight: 0.25 },
      { name: "deep", value: null, weight: 0 },
    ]);
    // 0.4, 0.1 and -0.1: a sixth of all that was said was against, which leaves 7/6 for 4 to 1.
    const shares = layerShares(layers, 1);
    expect([...shares]).toEqual([
      ["rules", expect.closeTo(14 / 15, 12)],
      ["timeframes", expect.closeTo(7 / 30, 12)],
      ["sentiment", expect.closeTo(-1 / 6, 12)],
    ]);
    const causes = new Map([["o1", causeFor({ layers, pattern: "flag", model: "m1" })]]);
    const trades = [closedTrade(1, { net: 30e6 + 1 }), closedTrade(2, { net: -10e6 })];
    const found = attribute(trades, causes);
    expect(found.total).toBe(20e6 + 1);
    expect(rows(found.layers)).toEqual([
      ["rules", 28_000_001, 1, 1],
      ["timeframes", 7e6, 1, 1],
      ["sentiment", -5e6, 1, 0],
      ["manual", -10e6, 1, 0],
    ]);
    expect(rows(found.patterns)).toEqual([
      ["flag", 30e6 + 1, 1, 1],
      ["manual", -10e6, 1, 0],
    ]);
    expect(rows(found.strategies)).toEqual([["manual", 20e6 + 1, 2, 0.5]]);
    expect(found.models.map(({ name, averageReturn }) => [name, averageReturn])).toEqual([
      ["m1", expect.closeTo(0.03, 6)],
      ["manual", -0.01],
    ]);
    expect(found.patterns[0].share).toBeCloseTo(1.5, 6);
  });

  it("leaves a trade to the trader that no layer spoke for, and one against its signal", () => {
    const against = causeFor({ layers: [{ name: "rules", contribution: -0.3 }], pattern: "flag" });
    const short = closedTrade(2, { side: "short", net: 7 });
    const causes = new Map<string, Cause>([
      ["o1", against],
      ["o2", { ...against, direction: 1 }],
    ]);
    const found = attribute([closedTrade(1, { net: 5 }), short], causes);
    expect(rows(found.layers)).toEqual([["manual", 12, 2, 1]]);
    // What it was placed for stays what it was placed for.
    expect(rows(found.patterns)).toEqual([["flag", 12, 2, 1]]);
    expect(causeOf(causes, short)).toBe(causes.get("o2"));
    expect(voicesFor(causes.get("o2") ?? null, short)).toEqual([]);
    // Without a signal there is nothing to be against.
    const chosen = { ...against, direction: null };
    expect(voicesFor(chosen, short)).toBe(chosen.layers);
    const paid = [expect.objectContaining({ name: "interest", contribution: -3, trades: 0, winRate: null })];
    expect(attribute([], causes, -3)).toEqual({
      total: -3,
      layers: paid,
      patterns: paid,
      strategies: paid,
      models: paid,
    });
    expect(attribute([], causes)).toEqual({ total: 0, layers: [], patterns: [], strategies: [], models: [] });
  });

  it("counts wins among trades that are closed", () => {
    const open = [3, 4, 5].map((k) => ({ ...closedTrade(k, { net: 9 }), closedAt: null }));
    const trades = [closedTrade(1, { net: 5 }), closedTrade(2, { net: -4 }), ...open];
    expect(rows(attribute(trades, new Map()).patterns)).toEqual([["manual", 28, 5, 0.5]]);
    expect(rows(attribute(open, new Map()).patterns)).toEqual([["manual", 27, 3, null]]);
  });

  it("sums to the total to the micro in every table, with shares that stay within bounds", () => {
    const name = fc.constantFrom("a", "b", "c", "d");
    // Doubles of fast-check are mostly tiny: one layer would have all.
    const contribution = fc.integer({ min: -1_000, max: 1_000 }).map((thousandths) => thousandths / 1_000);
    const voice = fc.record({ name, contribution });
    const cause = fc.option(
      fc.record({
        direction: fc.constantFrom(1 as const, -1 as const, null),
        layers: fc.uniqueArray(voice, { maxLength: 4, selector: (each) => each.name }),
        pattern: fc.option(name),
        strategy: fc.option(name),
        model: fc.option(name),
      }),
    );
    const one = fc.record({
      net: fc.integer({ min: -1e12, max: 1e12 }),
      side: fc.constantFrom("long" as const, "short" as const),
      cause,
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 40 }), fc.integer({ min: -1e9, max: 1e9 }), (made, interest) => {
        const trades = made.map(({ net, side }, k) => closedTrade(k, { net, side }));
        const causes = new Map(
          made.flatMap((each, k) => (each.cause === null ? [] : [[`o${k}`, each.cause] as const])),
        );
        const found = attribute(trades, causes, interest);
        expect(found.total).toBe(made.reduce((sum, { net }) => sum + net, interest));
        for (const table of ["layers", "patterns", "strategies", "models"] as const) {
          const sum = found[table].reduce((all, { contribution }) => all + contribution, 0);
          expect(sum, table).toBe(found.total);
        }
        for (const { layers, direction } of causes.values()) {
          const shares = [...layerShares(layers, direction ?? 1).values()];
          if (shares.length === 0) continue;
          expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
          for (const share of shares) expect(Math.abs(share - 0.5)).toBeLessThanOrEqual(1.5);
        }
      }),
    );
  });
});
