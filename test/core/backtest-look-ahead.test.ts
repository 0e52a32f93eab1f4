import { describe, expect, it } from "vitest";
import { createTruncation, findLookAhead, UNBOUND_RULES } from "../../src/core/backtest/look-ahead.js";
import { type BacktestRules, type Listing, PLAIN_RULES } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { createRng, drawSpread } from "../../src/core/base/rng.js";
import { meanOf } from "../../src/core/base/stats.js";
import { exactText } from "../../src/core/base/words.js";
import { marginRules } from "../../src/core/execution/account.js";
import { barAt, type Candles, candlesFromRows, sliceCandles } from "../../src/core/market/candles.js";
import { calendarOf } from "../../src/core/market/session.js";
import {
  defineStrategy,
  type Stand,
  type Strategy,
  type SymbolStrategy,
} from "../../src/core/strategies/define.js";
import { STRATEGIES } from "../../src/core/strategies/index.js";
import type { Values } from "../../src/core/strategies/parameters.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { walkingFacts } from "../fixtures/walking-facts.js";

const MARGIN: BacktestRules = {
  ...PLAIN_RULES,
  desk: { ...PLAIN_RULES.desk, account: marginRules("USD") },
};

function listingsFor({ needs, scope, facts }: Strategy, length: number, seed: number): Listing[] {
  const interval = needs.includes("intraday") ? "5m" : "1d";
  const symbols = scope === "universe" ? ["AAA", "BBB", "CCC"] : ["AAA"];
  return symbols.map((symbol, k) => ({
    candles: wanderingCandles(symbol, interval, length - 7 * k, seed + k),
    facts: walkingFacts(facts, length - 7 * k, seed + k),
  }));
}

/** Values with which there are trades in few bars. */
const BUSY: Readonly<Record<string, Values>> = {
  synergy: { group: 2, window: 120, conviction: 0.2, slope: 0.05, holdBars: 20 },
};

/** Both sides where there is a choice, so that short trades are looked at too. */
function bothSides({ id, parameters }: Strategy): Values {
  return { ...("side" in parameters ? { side: "both" } : {}), ...BUSY[id] };
}

describe("every strategy of the table", () => {
  it.each(STRATEGIES.map((row) => [row.id, row] as const))("%s sees no future and trades", (_, row) => {
    let decided = 0;
    for (const seed of [3, 40]) {
      const listings = listingsFor(row, 700, seed);
      const values = bothSides(row);
      expect(findLookAhead(row, listings, values, MARGIN, { cuts: 24, seed })).toBeNull();
      const { decisions, turned, trades } = runBacktest(row, listings, values, MARGIN);
      decided += decisions.length;
      expect(trades.length).toBeGreaterThan(0);
      expect(
        turned.filter(({ reason }) => reason !== "loss_on_wrong_side" && reason !== "target_on_wrong_side"),
      ).toEqual([]);
    }
    expect(decided).toBeGreaterThan(2);
  });

  it.each(STRATEGIES.map((row) => [row.id, row] as const))("%s decides the same without a desk", (_, row) => {
    const listings = listingsFor(row, 500, 12);
    const { whole } = createTruncation(row, listings, bothSides(row));
    const { decisions } = runBacktest(row, listings, bothSides(row), UNBOUND_RULES);
    expect(whole.length).toBeGreaterThan(0);
    expect(exactText(whole)).toBe(exactText(decisions));
  });
});

/** Buys where a close is above the one before, `ahead` bars from now. */
function peeking(ahead: number): Strategy {
  return defineStrategy({
    id: "peeking",
    title: "Peeking",
    description: "Looks at a bar that is not there yet.",
    parameters: {},
    warmup: () => 1,
    declare: ({ close }) => close,
    walk(stand) {
      const { columns: close, i } = stand;
      if (close[i + ahead] > close[i]) stand.enter(1);
      else if (close[i + ahead] < close[i]) stand.exit();
    },
  });
}

/** Takes the mean of the whole series. */
const SCALING = defineStrategy({
  id: "scaling",
  title: "Scaling",
  description: "Compares each close with the mean of all there are.",
  parameters: {},
  warmup: () => 0,
  declare: ({ close }) => close.map((each) => each / meanOf(close)),
  walk(stand) {
    const { columns, i } = stand;
    if (columns[i] < 1) stand.enter(1);
    else stand.exit();
  },
});

describe("a strategy that looks ahead", () => {
  const listings = [{ candles: wanderingCandles("AAA", "1d", 400, 5) }];

  it.each([1, 2, 5])("is found out when it peeks %i bars", (ahead) => {
    const found = findLookAhead(peeking(ahead), listings);
    if (found === null) throw new Error("nothing was found");
    const { time } = listings[0].candles;
    const cut = time.indexOf(found.cut);
    expect(found.at).toBe(time[found.bar]);
    expect(found.bar).toBeLessThanOrEqual(cut);
    expect(found.bar).toBeGreaterThan(cut - ahead);
    expect([found.whole?.bar, found.prefix]).toEqual([found.bar, null]);
  });

  it("is found out when its columns are scaled by what comes later", () => {
    expect(findLookAhead(SCALING, listings)).not.toBeNull();
  });

  it("is left in peace when it looks back", () => {
    const few = [{ candles: wanderingCandles("AAA", "1d", 90, 5) }];
    expect(findLookAhead(peeking(-1), few, {}, PLAIN_RULES, { cuts: 90 })).toBeNull();
  });
});

/** A strategy of this alone. */
function doing(id: string, walk: (stand: Stand<Candles>) => void, declare = (candles: Candles) => candles) {
  return defineStrategy({
    id,
    title: id,
    description: "Does what it is told.",
    parameters: {},
    warmup: () => 1,
    declare,
    walk,
  });
}

/** In at every tenth bar, out at the fifth after it. */
function timed(stand: Stand<unknown>): void {
  if (stand.i % 10 === 0) stand.enter(1);
  else if (stand.i % 10 === 5) stand.exit();
}

/** Looks at the next bar at one of its bars alone. */
const RARE = doing("rare", (stand) => {
  const { candles, i } = stand;
  if (i === 210 && !(candles.close[i + 1] > 0)) return;
  timed(stand);
});

describe("a truncation", () => {
  const candles = wanderingCandles("AAA", "1d", 400, 5);

  it("finds the one decision of many that looks ahead, where it is cut at all of them", () => {
    const { whole, cuts, test } = createTruncation(RARE, [{ candles }]);
    expect(whole.length).toBeGreaterThan(50);
    const found = [...cuts(2 * whole.length, 1)].flatMap((cut) => test(cut) ?? []);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ bar: 210, cut: candles.time[210], prefix: null });
    expect(found[0].whole).toMatchObject({ does: "enter", way: 1 });
  });

  it("cuts at all decisions and as often as it is told, and everywhere where it may be", () => {
    const { whole, time, cuts } = createTruncation(RARE, [{ candles }]);
    expect([...time]).toEqual([...candles.time.subarray(1)]);
    expect([...cuts(399, 1)]).toEqual([...time]);
    const chosen = cuts(200, 1);
    expect(new Set(chosen).size).toBe(200);
    expect([...chosen]).toEqual([...chosen].sort((a, b) => a - b));
    for (const { at } of whole) expect(chosen).toContain(at);
    const few = cuts(20, 1);
    const decided = new Set(whole.map(({ at }) => at));
    expect(few).toHaveLength(20);
    expect(few.filter((cut) => decided.has(cut)).length).toBeGreaterThanOrEqual(10);
  });

  it("finds what stumbles beyond the end", () => {
    const stumbling = doing("stumbling", (stand) => {
      if (stand.i < 399 && stand.candles.close[stand.i + 1].toFixed(2) > "") timed(stand);
    });
    const { cuts, test } = createTruncation(stumbling, [{ candles }]);
    const found = [...cuts(399, 1)].flatMap((cut) => test(cut) ?? []);
    expect(found).toHaveLength(398);
    expect(found[8]).toMatchObject({ bar: 9, whole: null, failure: expect.stringMatching(/undefined/) });
    expect(found[9]).toMatchObject({ bar: 10, whole: { does: "enter" } });
  });

  it("tells apart levels that JSON does not", () => {
    const level = doing("level", (stand) => {
      const { i } = stand;
      const isLast = i + 1 === stand.candles.close.length;
      if (i === 30) stand.enter(1, { target: isLast ? Number.POSITIVE_INFINITY : Number.NaN });
    });
    const { test } = createTruncation(level, [{ candles }]);
    expect(test(candles.time[30])).toMatchObject({ bar: 30, whole: { entry: { target: Number.NaN } } });
    expect(test(candles.time[31])).toBeNull();
  });

  it("is of one run alone, whatever a strategy does to its bars", () => {
    const spoiling = doing("spoiling", timed, (bars) => {
      bars.close.fill(1);
      return bars;
    });
    const before = [...candles.close];
    createTruncation(spoiling, [{ candles }]).test(candles.time[50]);
    expect([...candles.close]).toEqual(before);
  });

  it("leaves symbols in peace that have bars at other times, and begin at others", () => {
    const days = wanderingCandles("DAYS", "1d", 400, 7);
    const isOpen = Array.from(days.time, (time) => ![0, 6].includes(new Date(time).getUTCDay()));
    const other = wanderingCandles("WEEK", "1d", 400, 8);
    const rows = Array.from(other.time, (_, i) => barAt(other, i)).filter((_, i) => isOpen[i]);
    const week = candlesFromRows("WEEK", "1d", rows);
    const late = sliceCandles(wanderingCandles("LATE", "1d", 400, 9), 150);
    const [rotation] = STRATEGIES.filter(({ id }) => id === "momentum_rotation");
    const listings = [week, days, late].map((each) => ({ candles: each }));
    const values = { every: 3, lookback: 10 };
    const { whole, cuts, test } = createTruncation(rotation, listings, values);
    // Some are decided on days on which the symbol has no bar.
    expect(whole.some(({ symbol, bar, at }) => symbol === "WEEK" && week.time[bar] < at)).toBe(true);
    expect([...cuts(60, 1)].flatMap((cut) => test(cut) ?? [])).toEqual([]);
  });
});

/** Asks for orders of all kinds at random, several at one close, and looks at all that it may. */
function random(seed: number): SymbolStrategy {
  return doing("random", (stand) => {
    const rng = createRng(seed, stand.i);
    const away = (share: number) => stand.candles.close[stand.i] * (1 + share * (0.2 + rng.next()));
    for (let k = 0; k < 3; k++) {
      const dice = rng.below(12);
      if (dice === 0) stand.enter(1, { stop: away(-0.03), target: away(0.03) });
      else if (dice === 1) stand.enter(-1, { stop: away(0.03) });
      else if (dice === 2) stand.enter(1, { limit: away(-0.01), target: away(0.05) });
      else if (dice === 3) stand.enter(rng.below(2) === 0 ? 1 : -1);
      else if (dice === 4) stand.exit(`${stand.cost} ${stand.equity} ${stand.age} ${stand.waiting}`);
      else if (dice === 5) stand.weigh(rng.next() - 0.4);
      else if (dice === 6) stand.cancel();
      else if (dice === 7) {
        stand.order({
          side: rng.below(2) === 0 ? "buy" : "sell",
          type: "trailing_stop",
          timeInForce: rng.below(2) === 0 ? "gtc" : "day",
          quantity: 1 + rng.below(20),
          notional: null,
          limitPrice: null,
          stopPrice: null,
          trailAmount: null,
          trailPercent: 2,
          extendedHours: false,
          orderClass: "simple",
          takeProfit: null,
          stopLoss: null,
        });
      }
    }
  });
}

describe("a strategy that looks at all it may", () => {
  it.each([
    ["1d", "margin", MARGIN],
    ["5m", "margin", MARGIN],
    ["1d", "unbound", UNBOUND_RULES],
    ["5m", "unbound", UNBOUND_RULES],
  ] as const)("is found nothing of at any of its bars: %s, %s", (interval, _, rules) => {
    let decided = 0;
    for (let seed = 1; seed <= 2; seed++) {
      const symbols = seed % 2 === 0 ? ["AAA"] : ["AAA", "BBB"];
      const listings = symbols.map((symbol, k) => ({
        candles: wanderingCandles(symbol, interval, 60 - 3 * k, seed + k),
      }));
      const calendar = calendarOf(seed % 2 === 0 ? "24x7" : "XNYS");
      const { whole, cuts, test } = createTruncation(random(seed), listings, {}, { ...rules, calendar });
      decided += whole.length;
      expect([...cuts(60, 1)].flatMap((cut) => test(cut) ?? [])).toEqual([]);
    }
    expect(decided).toBeGreaterThan(80);
  });
});

describe("places that are drawn", () => {
  it("are all there are, or one of each stretch", () => {
    expect(drawSpread(4, 9, createRng(1))).toEqual([0, 1, 2, 3]);
    for (const [length, count] of [
      [10_001, 2_000],
      [2_001, 2_000],
      [7, 3],
    ]) {
      const drawn = drawSpread(length, count, createRng(length));
      expect(drawn).toHaveLength(count);
      drawn.forEach((place, k) => {
        expect(place).toBeGreaterThanOrEqual(Math.floor((k * length) / count));
        expect(place).toBeLessThan(Math.floor(((k + 1) * length) / count));
      });
    }
    // What recurs every five bars is met at each of its places.
    const places = drawSpread(10_000, 2_000, createRng(1)).map((place) => place % 5);
    expect(new Set(places).size).toBe(5);
  });
});
