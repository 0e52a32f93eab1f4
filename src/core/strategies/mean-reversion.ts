import { columnOf } from "./columns.js";
import { defineStrategy } from "./define.js";
import { bars, choice, number } from "./parameters.js";

export const meanReversion = defineStrategy({
  id: "mean_reversion",
  title: "Mean Reversion",
  description:
    "Buys a close that lies some standard deviations below its mean and leaves when it is back near it; short the other way round.",
  parameters: {
    period: bars(20, "bars of the mean", 2, 300),
    entry: number(2, [0.25, 6, 0.25], "deviations at which it enters"),
    exit: number(0.5, [0, 5, 0.25], "deviations within which it leaves"),
    side: choice(["long", "both"], "long", "long alone, or both ways"),
  },
  constraints: [{ text: "exit must lie nearer than entry", holds: ({ entry, exit }) => exit < entry }],
  warmup: ({ period }) => period - 1,
  declare: (candles, { period, entry, exit, side }) => ({
    score: columnOf("zscore", candles, { period }),
    entry,
    exit,
    isShort: side === "both",
  }),
  walk(stand) {
    const { score, entry, exit, isShort } = stand.columns;
    const now = score[stand.i];
    if (now <= -entry) stand.enter(1, { why: "far below its mean" });
    else if (now >= entry && isShort) stand.enter(-1, { why: "far above its mean" });
    else if (stand.held > 0 && now >= -exit) stand.exit("back at its mean");
    else if (stand.held < 0 && now <= exit) stand.exit("back at its mean");
  },
});
