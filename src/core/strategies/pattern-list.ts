import type { Hit } from "../patterns/define.js";
import { defineStrategy, type Stand } from "./define.js";
import { DIRECTED, hitsByBar, warmupOf } from "./hits.js";
import { bars, choice, list, number, wordsOf } from "./parameters.js";

interface Columns {
  readonly hits: ReadonlyMap<number, Hit>;
  readonly close: Float64Array;
  readonly waits: boolean;
  readonly leavesOnOpposite: boolean;
  readonly stop: number;
  readonly target: number;
  readonly holdBars: number;
  readonly isShort: boolean;
}

export const patternList = defineStrategy({
  id: "pattern_list",
  title: "Patterns",
  description:
    "Enters on any of a list of patterns with a stop and a target at fixed percentages of the close, the stop first within a bar, and leaves after so many bars.",
  parameters: {
    patterns: list(
      DIRECTED,
      ["hammer", "bullish_engulfing", "morning_star", "shooting_star", "bearish_engulfing", "evening_star"],
      "variants of patterns that are traded",
    ),
    entry: choice(
      ["immediate", "next_candle"],
      "immediate",
      "at the open after the pattern, or after one more bar that closes further in its direction",
    ),
    exit: choice(
      ["levels", "opposite"],
      "levels",
      "by stop, target and time alone, or also at a pattern of the other direction",
    ),
    stopLossPct: number(5, [0.1, 50, 0.5], "percent between the close and the stop"),
    takeProfitPct: number(10, [0.1, 200, 0.5], "percent between the close and the target"),
    holdBars: bars(30, "bars after which it leaves", 1, 500),
    side: choice(["long", "both"], "long", "rising patterns alone, or falling ones too"),
  },
  warmup: ({ patterns }) => warmupOf(wordsOf(patterns)),
  declare: (candles, values): Columns => ({
    hits: hitsByBar(candles, wordsOf(values.patterns)),
    close: candles.close,
    waits: values.entry === "next_candle",
    leavesOnOpposite: values.exit === "opposite",
    stop: values.stopLossPct / 100,
    target: values.takeProfitPct / 100,
    holdBars: values.holdBars,
    isShort: values.side === "both",
  }),
  walk(stand) {
    const { columns, age, held } = stand;
    const way = wayAt(stand);
    if (age >= 0 && age + 1 >= columns.holdBars) stand.exit("its time is over");
    else if (columns.leavesOnOpposite && way * held < 0) stand.exit("a pattern of the other direction");
    if (held !== 0 || stand.waiting || way === 0 || (way < 0 && !columns.isShort)) return;
    const price = columns.close[stand.i];
    const target = price * (1 + way * columns.target);
    if (target <= 0) return;
    const { variant } = columns.hits.get(columns.waits ? stand.i - 1 : stand.i) ?? {};
    stand.enter(way > 0 ? 1 : -1, {
      stop: price * (1 - way * columns.stop),
      target,
      ...(variant === undefined ? {} : { why: variant.id }),
    });
  },
});

/** Direction in which the patterns ask for an entry at bar `i`. */
function wayAt({ columns, i }: Stand<Columns>): number {
  const { hits, close, waits } = columns;
  if (!waits) return hits.get(i)?.variant.direction ?? 0;
  const before = hits.get(i - 1)?.variant.direction ?? 0;
  return before * (close[i] - close[i - 1]) > 0 ? before : 0;
}
