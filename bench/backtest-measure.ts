import { briefOf, runBrief } from "../src/core/backtest/brief.js";
import { findLookAhead } from "../src/core/backtest/look-ahead.js";
import { type Masks, maskStrategy } from "../src/core/backtest/mask.js";
import { runMasks } from "../src/core/backtest/mask-run.js";
import { hashOf } from "../src/core/backtest/result.js";
import { type BacktestRules, PLAIN_RULES } from "../src/core/backtest/rules.js";
import { runBacktest } from "../src/core/backtest/run.js";
import { assert, ensure } from "../src/core/base/assert.js";
import { NO_COSTS } from "../src/core/execution/costs.js";
import { computeIndicator, resolveParameters } from "../src/core/indicators/define.js";
import { ema } from "../src/core/indicators/trend/ema.js";
import type { Candles } from "../src/core/market/candles.js";
import { columnOf, crossAt } from "../src/core/strategies/columns.js";
import { defineStrategy } from "../src/core/strategies/define.js";
import { STRATEGIES } from "../src/core/strategies/index.js";
import { randomWalk } from "./data.js";
import { type Case, type Section, timeCases } from "./time.js";

/** Prints two sections: a backtest bar by bar, and by masks. */
const BARS = 1_000_000;
const MOST_Y = 8;
const MOST_Y_AFTER = 13;
const LEAST_RATE = 100;
/** Ten thousand times what a position is, so that none of them ruins the account. */
const RULES: BacktestRules = {
  ...PLAIN_RULES,
  desk: {
    ...PLAIN_RULES.desk,
    costs: {
      ...NO_COSTS,
      commission: { kind: "percent", rate: 0.0005, minimum: 0 },
      slippage: { kind: "fixed", bps: 1 },
    },
  },
  capital: 1e7,
  sizing: { ...PLAIN_RULES.sizing, stake: { kind: "units", units: 10 } },
};

/** Averages of 20 and 50 bars that cross, with a stop two percent away: the strategy of B1. */
const CROSS = defineStrategy({
  id: "cross",
  title: "Cross",
  description: "Buys where averages cross, with a stop, and leaves where they cross back.",
  parameters: {},
  warmup: () => 50,
  declare: (candles) => ({
    fast: columnOf("sma", candles, { period: 20 }),
    slow: columnOf("sma", candles, { period: 50 }),
    close: candles.close,
  }),
  walk(stand) {
    const { columns, i } = stand;
    const cross = crossAt(columns.fast, columns.slow, i);
    if (cross > 0) stand.enter(1, { stop: 0.98 * columns.close[i] });
    else if (cross < 0 && stand.held !== 0) stand.exit();
  },
});

function measure(): Section[] {
  const candles = randomWalk(BARS, 71);
  const listings = [{ candles }];
  const masks = masksOf(candles);
  const { values } = resolveParameters(ema, { period: 14 });
  const timed = (name: string, run: () => unknown): Case => ({ name, items: BARS, run: () => void run() });
  const yardstick = timed("Y: an EMA(14)", () => computeIndicator(ema, candles, ensure(values, "ema")));
  const brief = timed("bar by bar, without a desk", () => runBrief(CROSS, listings, {}, RULES));
  const whole = timed("bar by bar, with all orders and events of a desk", () =>
    runBacktest(CROSS, listings, {}, RULES),
  );
  const fast = timed("by masks", () => runMasks({ candles }, masks, RULES));
  // The events of a desk are left to be collected by whoever comes after it, so that it comes last.
  const first = timeCases([yardstick, brief, fast], 9);
  checkTable();
  const after = timeCases([yardstick, brief], 9);
  const [desk] = timeCases([whole], 3);
  return [
    byEvents(candles, first[0].minNs, [first[1].minNs, desk.minNs], after),
    byMasks(candles, masks, first[2].minNs),
  ];
}

function byEvents(
  candles: Candles,
  y: number,
  [brief, whole]: readonly number[],
  after: readonly { readonly minNs: number }[],
): Section {
  const ran = runBacktest(CROSS, [{ candles }], {}, RULES);
  const same =
    JSON.stringify(briefOf(ran, "").trades) ===
    JSON.stringify(runBrief(CROSS, [{ candles }], {}, RULES).trades);
  const again = hashOf(ran) === hashOf(runBacktest(CROSS, [{ candles }], {}, RULES));
  const later = after[1].minNs / after[0].minNs;
  const limit = (value: number, most: number) => ({ text: `<= ${most} Y`, met: value <= most });
  return {
    row: "B1",
    title: "A backtest of 1,000,000 bars: averages of 20 and 50, fees, slippage, a stop, equity, trades",
    notes: [],
    figures: [
      { name: "Y: an EMA(14)", value: y, unit: "ns/bar" },
      { name: "trades", value: ran.trades.length, unit: "" },
      { name: "bar by bar, without a desk", value: brief, unit: "ns/bar" },
      { name: "the same", value: brief / y, unit: "Y", target: limit(brief / y, MOST_Y) },
      {
        name: "the same, once every strategy of the table has run",
        value: later,
        unit: "Y",
        target: limit(later, MOST_Y_AFTER),
      },
      { name: "with all orders and events of a desk", value: whole, unit: "ns/bar" },
      { name: "the same", value: whole / y, unit: "Y" },
      { name: "unlike trades of the two", value: Number(!same), unit: "", target: { text: "0", met: same } },
      {
        name: "unlike hashes of two runs",
        value: Number(!again),
        unit: "",
        target: { text: "0", met: again },
      },
    ],
  };
}

function byMasks(candles: Candles, masks: Masks, ns: number): Section {
  const events = runBacktest(maskStrategy(masks), [{ candles }], {}, RULES);
  const { equity } = runMasks({ candles }, masks, RULES);
  const differing = events.equity.reduce((sum, value, i) => sum + Number(value !== equity[i]), 0);
  const rate = 1_000 / ns;
  return {
    row: "B2",
    title: "The same crosses by masks, without the stop",
    notes: [],
    figures: [
      { name: "one bar", value: ns, unit: "ns/bar" },
      {
        name: "bars",
        value: rate,
        unit: "million/s",
        target: { text: `>= ${LEAST_RATE}`, met: rate >= LEAST_RATE },
      },
      {
        name: "marks unlike those by events",
        value: differing,
        unit: "",
        target: { text: "0", met: differing === 0 },
      },
    ],
  };
}

/** Runs every strategy of one symbol, and looks whether one of them looks ahead. */
function checkTable(): void {
  const listings = [{ candles: randomWalk(3_000, 72) }];
  for (const strategy of STRATEGIES) {
    if (strategy.scope !== "symbol" || strategy.facts.length > 0) continue;
    assert(findLookAhead(strategy, listings, {}, RULES, { cuts: 6 }) === null, strategy.id);
    runBrief(strategy, listings, {}, RULES);
  }
}

function masksOf(candles: Candles): Masks {
  const { fast, slow } = {
    fast: columnOf("sma", candles, { period: 20 }),
    slow: columnOf("sma", candles, { period: 50 }),
  };
  const cross = Int8Array.from(fast, (_, i) => crossAt(fast, slow, i));
  const mask = (way: number) => Uint8Array.from(cross, (each) => Number(each === way));
  return { entries: mask(1), exits: mask(-1), side: "long" };
}

process.stdout.write(JSON.stringify(measure()));
