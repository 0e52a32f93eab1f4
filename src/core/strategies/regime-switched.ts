import { REGIME_WARMUP, REGIMES, type Regime } from "../regime/define.js";
import { computeRegimes } from "../regime/regime.js";
import { columnOf } from "./columns.js";
import { defineStrategy } from "./define.js";
import { bars, choice, number } from "./parameters.js";

const UP: readonly Regime[] = ["trending_bull", "breakout", "accumulation"];
const DOWN: readonly Regime[] = ["trending_bear", "distribution"];
const CALM: readonly Regime[] = ["ranging", "low_volatility"];

/** By label: 1 to go with a rise, -1 with a fall, 0 to trade against moves, 2 to stay out; the last while unknown. */
const MODES = Int8Array.from([
  ...REGIMES.map((regime) => {
    if (UP.includes(regime)) return 1;
    if (DOWN.includes(regime)) return -1;
    return CALM.includes(regime) ? 0 : 2;
  }),
  2,
]);

export const regimeSwitched = defineStrategy({
  id: "regime_switched",
  title: "Regime Switched",
  description:
    "Goes with the trend while the market has one, buys what lies far below its mean while it ranges, and stays out while it is wild or turning.",
  parameters: {
    period: bars(20, "bars of the mean", 2, 300),
    entry: number(1.5, [0.25, 6, 0.25], "deviations below the mean at which it enters in a range"),
    side: choice(["long", "both"], "long", "long alone, or short in falling markets too"),
  },
  warmup: ({ period }) => Math.max(REGIME_WARMUP, period - 1),
  declare: (candles, { period, entry, side }) => ({
    label: computeRegimes(candles).label,
    score: columnOf("zscore", candles, { period }),
    entry,
    isShort: side === "both",
  }),
  walk(stand) {
    const { i, held } = stand;
    const { label, score, entry, isShort } = stand.columns;
    const mode = MODES[label[i] < 0 ? REGIMES.length : label[i]];
    if (mode === 1) stand.enter(1, { why: REGIMES[label[i]] });
    else if (mode === -1 && isShort) stand.enter(-1, { why: REGIMES[label[i]] });
    else if (mode !== 0) stand.exit("left its regime");
    else if (held < 0) stand.exit("left its regime");
    else if (score[i] <= -entry) stand.enter(1, { why: "far below its mean in a range" });
    else if (held > 0 && score[i] >= 0) stand.exit("back at its mean");
  },
});
