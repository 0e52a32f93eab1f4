import { columnOf } from "./columns.js";
import { defineStrategy } from "./define.js";
import { bars } from "./parameters.js";

export const momentumRotation = defineStrategy({
  id: "momentum_rotation",
  title: "Momentum Rotation",
  description:
    "Holds the symbols that have risen most, in equal shares, and those that have not risen not at all; chosen anew every so many bars.",
  needs: ["several_symbols"],
  parameters: {
    lookback: bars(60, "bars over which a rise is measured", 2, 300),
    hold: bars(2, "symbols held at most", 1, 50),
    every: bars(20, "bars between two choices", 1, 260),
  },
  warmup: ({ lookback }) => lookback,
  declare: (candles, { lookback, hold, every }) => ({
    rise: columnOf("roc", candles, { period: lookback }),
    hold,
    every,
    /** Bar of the last choice for which this symbol kept the time. */
    chosen: -1,
  }),
  rebalance(stands) {
    // The symbol with most bars keeps the time.
    const lead = stands.reduce((most, stand) => (stand.i > most.i ? stand : most));
    const { columns, i } = lead;
    if (i % columns.every !== 0 || columns.chosen === i) return;
    columns.chosen = i;
    const ranked = stands
      .filter((stand) => stand.columns.rise[stand.i] > 0)
      .sort((a, b) => b.columns.rise[b.i] - a.columns.rise[a.i] || (a.symbol < b.symbol ? -1 : 1));
    const chosen = new Set(ranked.slice(0, columns.hold));
    for (const stand of stands) stand.weigh(chosen.has(stand) ? 1 / columns.hold : 0, "rotation");
  },
});
