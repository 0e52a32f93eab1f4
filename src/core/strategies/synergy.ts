import { computeRanges } from "../signals/ranges.js";
import { LEGS_WARMUP, legSignals } from "../synergy/legs.js";
import { SYNERGY_TYPES, type Synergy, watchSequences } from "../synergy/sequence.js";
import { defineStrategy } from "./define.js";
import { bars, choice, list, number, wordsOf } from "./parameters.js";

export const synergy = defineStrategy({
  id: "synergy",
  title: "Synergy",
  description:
    "Enters where MLMI, NW-RQK and a filled fair value gap have said the same within a few bars, in one of four orders (type_1 MLMI, NW-RQK, gap; type_2 MLMI, gap, NW-RQK; type_3 NW-RQK, gap, MLMI; type_4 NW-RQK, MLMI, gap), and leaves at its stop, its target, a synergy the other way or after so many bars.",
  parameters: {
    types: list(SYNERGY_TYPES, SYNERGY_TYPES, "orders that are traded"),
    window: bars(10, "bars from the first of the three to the last, at most", 0, 200),
    cooldown: bars(5, "bars after a synergy in which nothing counts", 0, 200),
    group: bars(6, "bars that make one of those that MLMI and NW-RQK look at", 1, 60),
    neighbours: bars(5, "crossings that MLMI asks", 1, 500),
    conviction: number(0.5, [0.05, 1, 0.05], "least distance of MLMI from 50, in parts of 50"),
    slope: number(0.1, [0, 3, 0.05], "least slope of NW-RQK, in average true ranges a bar"),
    gapPct: number(0.1, [0, 5, 0.05], "percent of the close that a gap must measure"),
    quality: number(0, [0, 1, 0.05], "least quality of a synergy that is traded"),
    stopRanges: number(1.5, [0.5, 3, 0.25], "average true ranges between the close and the stop"),
    reward: number(2, [0.5, 10, 0.5], "distance of the target in those of the stop"),
    holdBars: bars(100, "bars after which it leaves", 1, 1_000),
    side: choice(["long", "both"], "both", "long alone, or both ways"),
  },
  warmup: () => LEGS_WARMUP,
  declare(candles, values) {
    const { window, cooldown, group, neighbours, conviction, slope, gapPct } = values;
    const legs = legSignals(candles, { groupBars: group, neighbours, conviction, slope, gap: gapPct / 100 });
    const watch = watchSequences({ windowBars: window, cooldownBars: cooldown });
    const types = new Set(wordsOf(values.types));
    const found = new Map<number, Synergy>();
    for (const bar of [...legs.keys()].sort((a, b) => a - b)) {
      const each = watch.take(bar, legs.get(bar) ?? []);
      if (each !== null && types.has(each.type) && each.quality >= values.quality) found.set(bar, each);
    }
    const { stopRanges, reward, holdBars, side } = values;
    const ranges = found.size === 0 ? new Float64Array(0) : computeRanges(candles);
    return { found, ranges, close: candles.close, stopRanges, reward, holdBars, isShort: side === "both" };
  },
  walk(stand) {
    const { columns, i, age, held } = stand;
    const { found, ranges, close, stopRanges, reward, holdBars, isShort } = columns;
    // The entry's own bar is one of those.
    if (age >= 0 && age + 1 >= holdBars) stand.exit("its time is over");
    const synergy = found.get(i);
    if (synergy === undefined) return;
    const { way, type } = synergy;
    if (way * held < 0) stand.exit("a synergy the other way");
    const risk = stopRanges * ranges[i];
    const [stop, target] = [close[i] - way * risk, close[i] + way * reward * risk];
    if ((way < 0 && !isShort) || !(stop > 0 && target > 0)) return;
    stand.enter(way, { stop, target, why: type });
  },
});
