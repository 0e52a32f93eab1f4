import { outputsOf } from "./columns.js";
import { defineStrategy } from "./define.js";
import { factOf } from "./facts.js";
import { bars, choice, number } from "./parameters.js";

export const ivRank = defineStrategy({
  id: "iv_rank",
  title: "Implied Volatility Rank",
  description:
    "Goes with a strong trend of the underlying while implied volatility is low in its year, and leaves where it is high or the trend is over.",
  needs: ["option_chain"],
  facts: ["iv_rank"],
  parameters: {
    lowRank: number(25, [0, 95, 5], "percent of its range up to which volatility is low"),
    highRank: number(75, [5, 100, 5], "percent of its range from which it is high"),
    period: bars(14, "bars of the directional movement", 2, 100),
    trend: number(35, [5, 80, 5], "average directional index above which there is a trend"),
    side: choice(["long", "both"], "both", "long alone, or both ways"),
  },
  constraints: [
    { text: "lowRank must lie below highRank", holds: ({ lowRank, highRank }) => lowRank < highRank },
  ],
  warmup: ({ period }) => 2 * period - 1,
  declare(candles, { lowRank, highRank, period, trend, side }, facts) {
    const [strength, plus, minus] = outputsOf("adx", candles, { period });
    const rank = factOf(facts, "iv_rank");
    const [low, high] = [lowRank / 100, highRank / 100];
    return { rank, strength, plus, minus, low, high, trend, isShort: side === "both" };
  },
  walk(stand) {
    const { i, held } = stand;
    const { rank, strength, plus, minus, low, high, trend, isShort } = stand.columns;
    const way = strength[i] > trend ? Math.sign(plus[i] - minus[i]) : 0;
    if (held !== 0 && (rank[i] >= high || way * held <= 0))
      stand.exit("volatility is high, or the trend over");
    if (!(rank[i] <= low) || way === 0 || (way < 0 && !isShort)) return;
    stand.enter(way > 0 ? 1 : -1, { why: "a trend while volatility is low" });
  },
});
