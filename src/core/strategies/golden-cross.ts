import { columnOf, crossAt, nextCross } from "./columns.js";
import { defineStrategy } from "./define.js";
import { bars, choice } from "./parameters.js";

export const goldenCross = defineStrategy({
  id: "golden_cross",
  title: "Golden Cross",
  description:
    "Buys where a fast average of closes crosses above a slow one, and leaves, or turns short, where it crosses below.",
  parameters: {
    fast: bars(20, "bars of the fast average", 2, 200),
    slow: bars(50, "bars of the slow average", 3, 500),
    side: choice(["long", "both"], "long", "long alone, or long and short in turns"),
  },
  constraints: [{ text: "fast must be shorter than slow", holds: ({ fast, slow }) => fast < slow }],
  warmup: ({ slow }) => slow,
  declare: (candles, { fast, slow, side }) => ({
    fast: columnOf("sma", candles, { period: fast }),
    slow: columnOf("sma", candles, { period: slow }),
    turns: side === "both",
  }),
  next: ({ fast, slow }, from) => nextCross(fast, slow, from),
  walk(stand) {
    const { columns, i } = stand;
    const cross = crossAt(columns.fast, columns.slow, i);
    if (cross === 0) return;
    if (cross > 0) stand.enter(1, { why: "crossed above" });
    else if (columns.turns) stand.enter(-1, { why: "crossed below" });
    else if (stand.held !== 0) stand.exit("crossed below");
  },
});
