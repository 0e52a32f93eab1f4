import { findLookAhead } from "../src/core/backtest/look-ahead.js";
import { type Masks, maskStrategy } from "../src/core/backtest/mask.js";
import { runMasks } from "../src/core/backtest/mask-run.js";
import { PLAIN_RULES } from "../src/core/backtest/rules.js";
import { runBacktest } from "../src/core/backtest/run.js";
import { assert, ensure } from "../src/core/base/assert.js";
import { NO_COSTS } from "../src/core/execution/costs.js";
import { computeIndicator, resolveParameters } from "../src/core/indicators/define.js";
import { ema } from "../src/core/indicators/trend/ema.js";
import { sma } from "../src/core/indicators/trend/sma.js";
import type { Candles } from "../src/core/market/candles.js";
import { crossAt } from "../src/core/strategies/columns.js";
import { goldenCross } from "../src/core/strategies/golden-cross.js";
import { STRATEGIES } from "../src/core/strategies/index.js";
import { randomWalk } from "./data.js";
import { type Bench, type Figure, timeCases } from "./time.js";

const BARS = 1_000_000;
const COSTS = {
  ...NO_COSTS,
  commission: { kind: "percent", rate: 0.0005, minimum: 0 },
  slippage: { kind: "fixed", bps: 1 },
} as const;
const RULES = { ...PLAIN_RULES, desk: { ...PLAIN_RULES.desk, costs: COSTS }, capital: 1e6 };
/** Averages of the strategy that is timed, and of one that trades a hundredth as often. */
const OFTEN = { fast: 20, slow: 50 };
const RARELY = { fast: 200, slow: 500 };

export const bench: Bench = {
  name: "Backtests",
  run() {
    const candles = randomWalk(BARS, 71);
    const { values } = resolveParameters(ema, { period: 14 });
    const masks = masksOf(candles, OFTEN);
    const few = randomWalk(2_000, 72);
    for (const strategy of STRATEGIES.filter(({ scope }) => scope === "symbol")) {
      assert(findLookAhead(strategy, [{ candles: few }], {}, RULES, { cuts: 8 }) === null, strategy.id);
    }
    const timed = (name: string, run: () => unknown) => ({ name, items: BARS, run: () => void run() });
    const [y, often, rarely, vectorised] = timeCases(
      [
        timed("Y: an EMA(14)", () => computeIndicator(ema, candles, ensure(values, "ema"))),
        timed("events, averages of 20 and 50", () => runBacktest(goldenCross, [{ candles }], OFTEN, RULES)),
        timed("events, averages of 200 and 500", () =>
          runBacktest(goldenCross, [{ candles }], RARELY, RULES),
        ),
        timed("masks of the averages of 20 and 50", () => runMasks({ candles }, masks, RULES)),
      ],
      5,
    );
    const events = runBacktest(maskStrategy(masks), [{ candles }], {}, RULES);
    const fast = runMasks({ candles }, masks, RULES);
    const differs = events.equity.reduce((sum, value, i) => sum + Number(value !== fast.equity[i]), 0);
    const figures: Figure[] = [
      { name: y.name, value: y.minNs, unit: "ns/bar" },
      { name: "trades, averages of 20 and 50", value: fast.trades.net.length, unit: "" },
      ...[often, rarely].flatMap(({ name, minNs }) => [
        { name, value: minNs, unit: "ns/bar" },
        { name, value: minNs / y.minNs, unit: "Y", target: { text: "<= 8 Y", met: minNs <= 8 * y.minNs } },
      ]),
    ];
    const rate = 1_000 / vectorised.minNs;
    return [
      { row: "B1", title: "A backtest of 1,000,000 bars by events", notes: [], figures },
      {
        row: "B2",
        title: "The same by masks",
        notes: [],
        figures: [
          { name: vectorised.name, value: vectorised.minNs, unit: "ns/bar" },
          {
            name: vectorised.name,
            value: rate,
            unit: "Mbars/s",
            target: { text: ">= 100", met: rate >= 100 },
          },
          {
            name: "marks unlike those by events",
            value: differs,
            unit: "",
            target: { text: "0", met: differs === 0 },
          },
        ],
      },
    ];
  },
};

function masksOf(candles: Candles, { fast, slow }: typeof OFTEN): Masks {
  const [above, below] = [fast, slow].map((period) => computeIndicator(sma, candles, { period })[0]);
  const cross = Int8Array.from(above, (_, i) => crossAt(above, below, i));
  const mask = (way: number) => Uint8Array.from(cross, (each) => Number(each === way));
  return { entries: mask(1), exits: mask(-1), side: "long" };
}
