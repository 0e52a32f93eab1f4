import { defineStrategy } from "./define.js";
import { factOf } from "./facts.js";
import { choice, number } from "./parameters.js";

export const pcrExtremes = defineStrategy({
  id: "pcr_extremes",
  title: "Put-Call Extremes",
  description:
    "Buys where open interest in puts is far above that in calls, since most who fear have bought by then, sells short where it is far below, and leaves between; with the crowd, the other way round.",
  needs: ["option_chain"],
  facts: ["put_call_ratio"],
  parameters: {
    high: number(1.7, [0.5, 5, 0.1], "ratio from which it is extreme"),
    low: number(0.7, [0.1, 2, 0.05], "ratio below which it is extreme"),
    reading: choice(["contrarian", "crowd"], "contrarian", "against the crowd, or with it"),
    side: choice(["long", "both"], "both", "long alone, or both ways"),
  },
  constraints: [{ text: "low must lie below high", holds: ({ low, high }) => low < high }],
  warmup: () => 0,
  declare: (_, { high, low, reading, side }, facts) => ({
    ratio: factOf(facts, "put_call_ratio"),
    high,
    low,
    sign: reading === "contrarian" ? 1 : -1,
    isShort: side === "both",
  }),
  walk(stand) {
    const { ratio, high, low, sign, isShort } = stand.columns;
    const now = ratio[stand.i];
    const way = now >= high ? sign : now < low ? -sign : 0;
    if (way > 0) stand.enter(1, { why: "an extreme of puts and calls" });
    else if (way < 0 && isShort) stand.enter(-1, { why: "an extreme of puts and calls" });
    else if (stand.held !== 0 && !Number.isNaN(now)) stand.exit("no extreme any more");
  },
});
