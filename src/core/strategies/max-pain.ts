import { defineStrategy } from "./define.js";
import { factOf } from "./facts.js";
import { choice, number } from "./parameters.js";

export const maxPain = defineStrategy({
  id: "max_pain",
  title: "Max Pain",
  description:
    "Buys where the price lies well below the strike at which holders of the next expiry are paid least, sells short well above it, and leaves near it or beyond.",
  needs: ["option_chain"],
  facts: ["max_pain"],
  parameters: {
    awayPct: number(2, [0.25, 20, 0.25], "percent of the price between it and the strike at which it enters"),
    nearPct: number(0.5, [0, 10, 0.25], "percent within which it leaves"),
    side: choice(["long", "both"], "both", "long alone, or both ways"),
  },
  constraints: [
    { text: "nearPct must be less than awayPct", holds: ({ nearPct, awayPct }) => nearPct < awayPct },
  ],
  warmup: () => 0,
  declare: (_, { awayPct, nearPct, side }, facts) => ({
    pain: factOf(facts, "max_pain"),
    far: awayPct / 100,
    near: nearPct / 100,
    isShort: side === "both",
  }),
  walk(stand) {
    const { held } = stand;
    const { pain, far, near, isShort } = stand.columns;
    const away = pain[stand.i] - 1;
    if (away >= far) stand.enter(1, { why: "far below max pain" });
    else if (away <= -far && isShort) stand.enter(-1, { why: "far above max pain" });
    else if ((held > 0 && away <= near) || (held < 0 && away >= -near)) stand.exit("near max pain");
  },
});
