import { computeRanges } from "../signals/ranges.js";
import { planTrade } from "../signals/trade.js";
import { defineStrategy } from "./define.js";
import { DIRECTED, hitsByBar, warmupOf } from "./hits.js";
import { choice } from "./parameters.js";

export const patternTrade = defineStrategy({
  id: "pattern_trade",
  title: "Pattern",
  description:
    "Enters at the open after a confirmed pattern with the stop and the target of its shape, or of the one policy where it has none, and leaves at the end of its time.",
  parameters: { pattern: choice(DIRECTED, "bullish_engulfing", "variant of a pattern that is traded") },
  warmup: ({ pattern }) => warmupOf([pattern]),
  declare(candles, { pattern }) {
    const hits = hitsByBar(candles, [pattern]);
    const ranges = hits.size === 0 ? new Float64Array(0) : computeRanges(candles);
    return {
      plans: new Map(
        [...hits].flatMap(([at, hit]) => {
          const plan = planTrade(hit, candles.close[at], ranges[at], 0);
          return plan === null ? [] : [[at, plan] as const];
        }),
      ),
      /** Bars that what is held may last. */
      horizon: 0,
    };
  },
  walk(stand) {
    const { columns, i, age } = stand;
    // The entry's own bar is one of the horizon.
    if (age >= 0 && age + 1 >= columns.horizon) stand.exit("its time is over");
    if (stand.held !== 0 || stand.waiting) return;
    const plan = columns.plans.get(i);
    if (plan === undefined) return;
    const { direction, stop, target, horizon } = plan;
    columns.horizon = horizon;
    stand.enter(direction, { stop, target, why: "pattern" });
  },
});
