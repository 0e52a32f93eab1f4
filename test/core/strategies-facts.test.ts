import { describe, expect, it } from "vitest";
import { findLookAhead } from "../../src/core/backtest/look-ahead.js";
import { PLAIN_RULES } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { ensure } from "../../src/core/base/assert.js";
import { marginRules } from "../../src/core/execution/account.js";
import { candlesFromRows } from "../../src/core/market/candles.js";
import { defineStrategy, lacksOf, scarceOf } from "../../src/core/strategies/define.js";
import { type Facts, factOf, sliceFacts } from "../../src/core/strategies/facts.js";
import { findStrategy } from "../../src/core/strategies/index.js";
import type { Values } from "../../src/core/strategies/parameters.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { walkingFacts } from "../fixtures/walking-facts.js";

const MARGIN = { ...PLAIN_RULES, desk: { ...PLAIN_RULES.desk, account: marginRules("USD") } };
const DAY = 86_400_000;

/** What is decided over closes of 100 and a little, with facts that are told bar by bar. */
function decisionsOf(id: string, facts: Readonly<Record<string, readonly number[]>>, values: Values = {}) {
  const columns: Facts = Object.fromEntries(
    Object.entries(facts).map(([name, told]) => [name, Float64Array.from(told)]),
  );
  const { length } = Object.values(facts)[0];
  const rows = Array.from({ length }, (_, i) => ({
    time: i * DAY,
    open: 100,
    high: 100.2,
    low: 99.8,
    close: 100,
    volume: 10,
  }));
  const candles = candlesFromRows("AAA", "1d", rows);
  const { decisions } = runBacktest(
    ensure(findStrategy(id), id),
    [{ candles, facts: columns }],
    values,
    MARGIN,
  );
  return decisions.map(({ bar, does, way }) =>
    does === "enter" ? `${bar} ${way > 0 ? "long" : "short"}` : `${bar} ${does}`,
  );
}

const NONE = Number.NaN;

describe("strategies over facts", () => {
  it("go against extremes of puts and calls, or with them", () => {
    const facts = { put_call_ratio: [1, 1.7, NONE, 1.2, 0.69, 0.7, 1] };
    expect(decisionsOf("pcr_extremes", facts)).toEqual(["1 long", "3 exit", "4 short", "5 exit"]);
    expect(decisionsOf("pcr_extremes", facts, { reading: "crowd" })).toEqual([
      "1 short",
      "3 exit",
      "4 long",
      "5 exit",
    ]);
    expect(decisionsOf("pcr_extremes", facts, { side: "long" })).toEqual(["1 long", "3 exit"]);
  });

  it("follow the side on which open interest grew, for so many bars", () => {
    const facts = { put_change: [0, 0.3, 0, 0, 0, 0.1, 0], call_change: [0, 0.1, 0, 0, NONE, 0.3, 0] };
    expect(decisionsOf("oi_change", facts, { holdBars: 2 })).toEqual(["1 long", "3 exit", "5 short"]);
    expect(decisionsOf("oi_change", facts, { holdBars: 2, reading: "bought" })).toEqual([
      "1 short",
      "3 exit",
      "5 long",
    ]);
    expect(decisionsOf("oi_change", facts, { changePct: 21 })).toEqual([]);
  });

  it("are drawn to max pain until it is near", () => {
    const facts = { max_pain: [1, 1.02, 1.01, NONE, 1.005, 0.97, 0.99, 0.996] };
    expect(decisionsOf("max_pain", facts)).toEqual(["1 long", "4 exit", "5 short", "7 exit"]);
  });

  it("trade at walls, with a stop beyond and the other wall for a target", () => {
    const facts = { support: [0.97, 0.996, 0.97, 0.97], resistance: [1.04, 1.04, 1.04, 1.04] };
    expect(decisionsOf("oi_levels", facts)).toEqual(["1 long"]);
    const near = { support: [0.996, 0.97, 0.97], resistance: [1.004, 1.004, NONE] };
    expect(decisionsOf("oi_levels", near)).toEqual(["1 short"]);
    const candles = candlesFromRows(
      "AAA",
      "1d",
      [0, 1, 2].map((i) => ({ time: i * DAY, open: 100, high: 100.1, low: 99.9, close: 100, volume: 1 })),
    );
    const columns = {
      support: Float64Array.of(0.996, 0.9, 0.9),
      resistance: Float64Array.of(1.04, 1.1, 1.1),
    };
    const strategy = ensure(findStrategy("oi_levels"), "oi_levels");
    const { decisions } = runBacktest(strategy, [{ candles, facts: columns }], {}, MARGIN);
    expect(decisions[0].entry?.stop).toBeCloseTo(99.1, 9);
    expect(decisions[0].entry?.target).toBeCloseTo(104, 9);
  });

  it("follow a score that is planted", () => {
    const facts = { model_score: [0.5, 0.65, 0.55, NONE, 0.49, 0.35, 0.45, 0.51] };
    const both = { side: "both" };
    expect(decisionsOf("model_score", facts, both)).toEqual(["1 long", "4 exit", "5 short", "7 exit"]);
    expect(decisionsOf("model_score", facts)).toEqual(["1 long", "4 exit"]);
    expect(decisionsOf("model_score", facts, { high: 0.7 })).toEqual([]);
  });

  it("go with a trend while implied volatility is low", () => {
    const rows = Array.from({ length: 60 }, (_, i) => {
      const price = 100 + i;
      return { time: i * DAY, open: price, high: price + 1, low: price - 0.5, close: price + 0.9, volume: 1 };
    });
    const candles = candlesFromRows("AAA", "1d", rows);
    const iv_rank = Float64Array.from(rows, (_, i) => (i === 40 ? 0.25 : i === 50 ? 0.75 : 0.5));
    const strategy = ensure(findStrategy("iv_rank"), "iv_rank");
    const { decisions } = runBacktest(strategy, [{ candles, facts: { iv_rank } }], {}, MARGIN);
    expect(decisions.map(({ bar, does }) => `${bar} ${does}`)).toEqual(["40 enter", "50 exit"]);
    const strict = runBacktest(strategy, [{ candles, facts: { iv_rank } }], { lowRank: 20 }, MARGIN);
    expect(strict.decisions).toEqual([]);
  });
});

describe("a score that knows the next bar", () => {
  it("gains at nearly every trade, and one that is wrong loses", () => {
    const candles = wanderingCandles("AAA", "1d", 300, 11);
    const { open } = candles;
    const right = open.map((_, i) => (open[i + 2] > open[i + 1] ? 0.9 : 0.1));
    const gainOf = (model_score: Float64Array) => {
      const strategy = ensure(findStrategy("model_score"), "model_score");
      const { equity } = runBacktest(
        strategy,
        [{ candles, facts: { model_score } }],
        { side: "both" },
        MARGIN,
      );
      return equity[equity.length - 1] / equity[0] - 1;
    };
    expect(gainOf(right)).toBeGreaterThan(5);
    expect(gainOf(right.map((score) => 1 - score))).toBeLessThan(-0.5);
  });
});

describe("what is lacking", () => {
  const candles = wanderingCandles("AAA", "1d", 30, 1);
  const walls = ensure(findStrategy("oi_levels"), "oi_levels");

  it("is told by name, and where too little is known by number", () => {
    expect(lacksOf(walls, [{ candles }])).toEqual([
      "needs chains of options, and there is no support and no resistance",
    ]);
    const facts = walkingFacts(["support", "resistance"], 30, 1);
    expect(lacksOf(walls, [{ candles, facts }])).toEqual([]);
    const few = { ...facts, support: new Float64Array(30).fill(NONE).fill(0.99, 0, 9) };
    expect(lacksOf(walls, [{ candles, facts: few }])).toEqual([]);
    expect(scarceOf(walls, [{ candles, facts: few }])).toEqual([
      "needs support at 10 bars at least, and AAA has it at 9 of 30",
    ]);
    expect(() => runBacktest(walls, [{ candles }])).toThrow("there is no support");
  });

  it("is a model where none is active", () => {
    const scored = ensure(findStrategy("model_score"), "model_score");
    expect(lacksOf(scored, [{ candles }])).toEqual(["needs a learned model, and there is no model_score"]);
  });

  it("is cut off with the bars", () => {
    const facts = { support: Float64Array.of(1, 2, 3, 4) };
    expect(sliceFacts(facts, 3, 1)).toEqual({ support: Float64Array.of(2, 3) });
    const peeking = defineStrategy({
      id: "peeking",
      title: "Peeking",
      description: "Looks at a fact that is not there yet.",
      needs: ["option_chain"],
      facts: ["support"],
      parameters: {},
      warmup: () => 0,
      declare: (_, __, given) => factOf(given, "support"),
      walk(stand) {
        if (stand.columns[stand.i + 1] > 0.98) stand.enter(1);
        else stand.exit();
      },
    });
    const listing = { candles, facts: walkingFacts(["support"], 30, 2) };
    expect(findLookAhead(peeking, [listing])).not.toBeNull();
  });
});
