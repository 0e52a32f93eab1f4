import { defineStrategy } from "./define.js";
import { factOf } from "./facts.js";
import { bars, choice, number } from "./parameters.js";

export const oiChange = defineStrategy({
  id: "oi_change",
  title: "Open Interest Change",
  description:
    "Buys where open interest in puts of the next expiry has grown more than that in calls, as those who write them expect no fall, sells short the other way round, and leaves after so many bars; read as bought options, with the directions changed.",
  needs: ["option_chain"],
  facts: ["call_change", "put_change"],
  parameters: {
    changePct: number(15, [1, 200, 1], "percent by which one side must have grown more than the other"),
    holdBars: bars(3, "bars after which it leaves", 1, 100),
    reading: choice(["written", "bought"], "written", "whose interest counts: writers' or buyers'"),
    side: choice(["long", "both"], "both", "long alone, or both ways"),
  },
  warmup: () => 0,
  declare: (_, { changePct, holdBars, reading, side }, facts) => ({
    calls: factOf(facts, "call_change"),
    puts: factOf(facts, "put_change"),
    change: changePct / 100,
    holdBars,
    sign: reading === "written" ? 1 : -1,
    isShort: side === "both",
  }),
  walk(stand) {
    const { i, age } = stand;
    const { calls, puts, change, holdBars, sign, isShort } = stand.columns;
    // The entry's own bar is one of those.
    if (age >= 0 && age + 1 >= holdBars) stand.exit("its time is over");
    const more = sign * (puts[i] - calls[i]);
    if (more >= change) stand.enter(1, { why: "open interest has changed" });
    else if (more <= -change && isShort) stand.enter(-1, { why: "open interest has changed" });
  },
});
