import { crossAt, nextCross, outputsOf } from "./columns.js";
import { defineStrategy } from "./define.js";
import { bars, choice } from "./parameters.js";

export const macdCross = defineStrategy({
  id: "macd_cross",
  title: "MACD Cross",
  description:
    "Buys where the MACD crosses above its signal, and leaves, or turns short, where it crosses below.",
  parameters: {
    fast: bars(12, "bars of the fast average", 2, 100),
    slow: bars(26, "bars of the slow average", 3, 200),
    signal: bars(9, "bars of the signal", 1, 100),
    side: choice(["long", "both"], "long", "long alone, or long and short in turns"),
  },
  constraints: [{ text: "fast must be shorter than slow", holds: ({ fast, slow }) => fast < slow }],
  warmup: ({ slow, signal }) => slow + signal - 1,
  declare(candles, { fast, slow, signal, side }) {
    const [line, average] = outputsOf("macd", candles, { fast, slow, signal });
    return { line, average, turns: side === "both" };
  },
  next: ({ line, average }, from) => nextCross(line, average, from),
  walk(stand) {
    const { line, average, turns } = stand.columns;
    const cross = crossAt(line, average, stand.i);
    if (cross > 0) stand.enter(1, { why: "crossed above its signal" });
    else if (cross < 0 && turns) stand.enter(-1, { why: "crossed below its signal" });
    else if (cross < 0 && stand.held !== 0) stand.exit("crossed below its signal");
  },
});
