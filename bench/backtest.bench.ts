import { runCompiled } from "./compiled.js";
import type { Bench, Section } from "./time.js";

export const bench: Bench = {
  name: "Backtests",
  run: () =>
    runCompiled(["backtest-measure", "backtest-sweep-measure", "backtest-peers-measure"]).flatMap(
      (text) => JSON.parse(text) as Section[],
    ),
};
