import { PLAIN_RULES } from "../src/core/backtest/rules.js";
import { runBacktest } from "../src/core/backtest/run.js";
import { NO_COSTS } from "../src/core/execution/costs.js";
import { computeIndicator, resolveParameters } from "../src/core/indicators/define.js";
import { ema } from "../src/core/indicators/trend/ema.js";
import { STRATEGIES } from "../src/core/strategies/index.js";
import { randomWalk } from "./data.js";
import { type Bench, timeCases } from "./time.js";

const BARS = 1_000_000;
const COSTS = {
  ...NO_COSTS,
  commission: { kind: "percent", rate: 0.0005, minimum: 0 },
  slippage: { kind: "fixed", bps: 1 },
} as const;

export const bench: Bench = {
  name: "Backtests",
  run() {
    const candles = randomWalk(BARS, 71);
    const { values } = resolveParameters(ema, { period: 14 });
    const rules = { ...PLAIN_RULES, desk: { ...PLAIN_RULES.desk, costs: COSTS } };
    const cases = [
      { name: "Y", items: BARS, run: () => void computeIndicator(ema, candles, values ?? {}) },
      {
        name: "events, averages of 20 and 50",
        items: BARS,
        run: () => void runBacktest(STRATEGIES[0], [{ candles }], {}, rules),
      },
    ];
    const [y, events] = timeCases(cases, 3);
    return [
      {
        row: "B1",
        title: "A backtest of 1,000,000 bars",
        notes: [],
        figures: [
          { name: y.name, value: y.minNs, unit: "ns/bar" },
          { name: events.name, value: events.minNs, unit: "ns/bar" },
          { name: events.name, value: events.minNs / y.minNs, unit: "Y" },
        ],
      },
    ];
  },
};
