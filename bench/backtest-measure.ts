import { briefOf, runBrief } from "../src/core/backtest/brief.js";
import { findLookAhead } from "../src/core/backtest/look-ahead.js";
import { type Masks, maskStrategy } from "../src/core/backtest/mask.js";
import { runMasks } from "../src/core/backtest/mask-run.js";
import { hashOf } from "../src/core/backtest/result.js";
import { type BacktestRules, PLAIN_RULES } from "../src/core/backtest/rules.js";
import { runBacktest } from "../src/core/backtest/run.js";
import { assert } from "../src/core/base/assert.js";
import { NO_COSTS } from "../src/core/execution/costs.js";
import type { Candles } from "../src/core/market/candles.js";
import { columnOf, crossAt, nextCross } from "../src/core/strategies/columns.js";
import { defineStrategy, type Stand, type Strategy } from "../src/core/strategies/define.js";
import { STRATEGIES } from "../src/core/strategies/index.js";
import { randomWalk } from "./data.js";
import { type Case, type Figure, type Section, type Timing, timeCases } from "./time.js";
import { ema14, TARGET_Y } from "./yardstick.js";

/** Prints two sections: a backtest bar by bar, and by masks. */
const BARS = 1_000_000;
const MOST_Y = 8;
const MOST_Y_AFTER = 13;
/** Million bars a second, where Y is that of the machine that targets were set on. */
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

type Averages = Readonly<Record<"fast" | "slow" | "close", Float64Array>>;

/**
 * Averages of 20 and 50 bars that cross, with a stop two percent away: the strategy of B1. It is asked at each bar, or
 * tells the next bar at which it may act, as strategies of the table do whose columns alone decide.
 */
function crossing(tells: boolean): Strategy {
  return defineStrategy({
    id: "cross",
    title: "Cross",
    description: "Buys where averages cross, with a stop, and leaves where they cross back.",
    parameters: {},
    warmup: () => 50,
    declare: (candles): Averages => ({
      fast: columnOf("sma", candles, { period: 20 }),
      slow: columnOf("sma", candles, { period: 50 }),
      close: candles.close,
    }),
    ...(tells ? { next: ({ fast, slow }: Averages, from: number) => nextCross(fast, slow, from) } : {}),
    walk(stand: Stand<Averages>) {
      const { columns, i } = stand;
      const cross = crossAt(columns.fast, columns.slow, i);
      if (cross > 0) stand.enter(1, { stop: 0.98 * columns.close[i] });
      else if (cross < 0 && stand.held !== 0) stand.exit();
    },
  });
}

const ASKED = crossing(false);
const TELLING = crossing(true);

function measure(): Section[] {
  const candles = randomWalk(BARS, 71);
  const listings = [{ candles }];
  const masks = masksOf(candles);
  const averages = new Float64Array(BARS);
  const timed = (name: string, run: () => unknown): Case => ({ name, items: BARS, run: () => void run() });
  const yardstick = timed("Y: an EMA(14)", () => ema14(candles.close, averages));
  const room = new Float64Array(BARS);
  const briefly = (name: string, strategy: Strategy) =>
    timed(name, () => runBrief(strategy, listings, {}, RULES, { room }));
  const brief = [briefly("tells its next bar", TELLING), briefly("is asked at each bar", ASKED)];
  const whole = timed("bar by bar, with all orders and events of a desk", () =>
    runBacktest(ASKED, listings, {}, RULES),
  );
  const fast = timed("by masks", () => runMasks({ candles }, masks, RULES));
  // The events of a desk are left to be collected by whoever comes after it, so that it comes last.
  const first = timeCases([yardstick, ...brief, fast], 9);
  checkTable();
  const after = timeCases([yardstick, ...brief], 9);
  const [desk] = timeCases([whole], 3);
  return [
    byEvents(candles, first, after, desk.minNs),
    byMasks(candles, masks, first[3].minNs, first[0].minNs),
  ];
}

function byEvents(
  candles: Candles,
  first: readonly Timing[],
  after: readonly Timing[],
  desk: number,
): Section {
  const ran = runBacktest(ASKED, [{ candles }], {}, RULES);
  const trades = JSON.stringify(briefOf(ran, "").trades);
  const unlike = [ASKED, TELLING].filter(
    (strategy) => JSON.stringify(runBrief(strategy, [{ candles }], {}, RULES).trades) !== trades,
  ).length;
  const again = hashOf(ran) === hashOf(runBacktest(ASKED, [{ candles }], {}, RULES));
  const figures = (when: string, timings: readonly Timing[], most: number): Figure[] => {
    const [{ minNs: y }] = timings;
    return timings.slice(1, 3).flatMap(({ name, minNs }) => [
      { name: `a strategy that ${name}${when}`, value: minNs, unit: "ns/bar" },
      {
        name: "the same",
        value: minNs / y,
        unit: "Y",
        target: { text: `<= ${most} Y`, met: minNs / y <= most },
      },
    ]);
  };
  return {
    row: "B1",
    title: "A backtest of 1,000,000 bars: averages of 20 and 50, fees, slippage, a stop, equity, trades",
    notes: [],
    figures: [
      { name: "Y: an EMA(14)", value: first[0].minNs, unit: "ns/bar" },
      { name: "trades", value: ran.trades.length, unit: "" },
      ...figures("", first, MOST_Y),
      ...figures(", once every strategy of the table has run", after, MOST_Y_AFTER),
      { name: "with all orders and events of a desk", value: desk, unit: "ns/bar" },
      { name: "the same", value: desk / first[0].minNs, unit: "Y" },
      { name: "unlike trades of them", value: unlike, unit: "", target: { text: "0", met: unlike === 0 } },
      {
        name: "unlike hashes of two runs",
        value: Number(!again),
        unit: "",
        target: { text: "0", met: again },
      },
    ],
  };
}

function byMasks(candles: Candles, masks: Masks, ns: number, y: number): Section {
  const events = runBacktest(maskStrategy(masks), [{ candles }], {}, RULES);
  const { equity } = runMasks({ candles }, masks, RULES);
  const differing = events.equity.reduce((sum, value, i) => sum + Number(value !== equity[i]), 0);
  const rate = ((1_000 / ns) * y) / TARGET_Y;
  return {
    row: "B2",
    title: "The same crosses by masks, without the stop",
    notes: [],
    figures: [
      { name: "one bar", value: ns, unit: "ns/bar" },
      { name: "bars", value: 1_000 / ns, unit: "million/s" },
      {
        name: `the same, were Y ${TARGET_Y} ns and not ${y.toFixed(2)}`,
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
