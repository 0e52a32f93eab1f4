import { defineStrategy } from "./define.js";
import { factOf } from "./facts.js";
import { bars, choice, number } from "./parameters.js";

export const oiLevels = defineStrategy({
  id: "oi_levels",
  title: "Open Interest Levels",
  description:
    "Buys just above the strike of most open interest in puts and sells short just below that of most in calls, with a stop beyond the strike and the other one for a target, and leaves after so many bars.",
  needs: ["option_chain"],
  facts: ["support", "resistance"],
  parameters: {
    nearPct: number(
      0.5,
      [0.1, 10, 0.1],
      "percent of the price between it and a strike within which it enters",
    ),
    stopPct: number(0.5, [0.1, 10, 0.1], "percent of the price between the strike and the stop"),
    holdBars: bars(10, "bars after which it leaves", 1, 200),
    side: choice(["long", "both"], "both", "long alone, or both ways"),
  },
  warmup: () => 0,
  declare: ({ close }, { nearPct, stopPct, holdBars, side }, facts) => ({
    close,
    support: factOf(facts, "support"),
    resistance: factOf(facts, "resistance"),
    near: nearPct / 100,
    beyond: stopPct / 100,
    holdBars,
    isShort: side === "both",
  }),
  walk(stand) {
    const { i, age } = stand;
    const { close, support, resistance, near, beyond, holdBars, isShort } = stand.columns;
    // The entry's own bar is one of those.
    if (age >= 0 && age + 1 >= holdBars) stand.exit("its time is over");
    if (stand.held !== 0 || stand.waiting) return;
    const below = 1 - support[i];
    const above = resistance[i] - 1;
    const price = close[i];
    // Between two strikes that are both near there is nothing to gain.
    if (below <= near && above > near) {
      stand.enter(1, {
        stop: price * (support[i] - beyond),
        target: price * resistance[i],
        why: "at support",
      });
    } else if (above <= near && below > near && isShort) {
      const stop = price * (resistance[i] + beyond);
      stand.enter(-1, { stop, target: price * support[i], why: "at resistance" });
    }
  },
});
