import { INTERVAL_MS, isIntraday } from "../market/interval.js";
import { columnOf } from "./columns.js";
import { defineStrategy } from "./define.js";
import { bars, choice, number } from "./parameters.js";
import { isOver, mayEnter, sessionColumns } from "./sessions.js";

export const vwapDeviation = defineStrategy({
  id: "vwap_deviation",
  title: "VWAP Deviation",
  description:
    "Buys a close some percent below the day's average price by volume and leaves when it is back there, or late in the day, at the open of the last bar of the session at the latest; short the other way round.",
  needs: ["volume", "intraday"],
  parameters: {
    deviationPct: number(
      0.35,
      [0.05, 5, 0.05],
      "percent between the close and the average at which it enters",
    ),
    settleMinutes: bars(30, "minutes of the day that pass first", 0, 600),
    lastMinutes: bars(360, "minutes of the day after which it leaves", 1, 1_440),
    side: choice(["long", "both"], "both", "long alone, or both ways"),
  },
  constraints: [
    {
      text: "settleMinutes must come before lastMinutes",
      holds: ({ settleMinutes, lastMinutes }) => settleMinutes < lastMinutes,
    },
  ],
  warmup: () => 1,
  misfit: (interval) =>
    isIntraday(interval) && INTERVAL_MS[interval] > INTERVAL_MS["1h"]
      ? `needs bars of an hour at most, not ${interval}`
      : null,
  declare: (candles, { deviationPct, settleMinutes, lastMinutes, side }, _, calendar = null) => ({
    average: columnOf("vwap", candles, {}),
    close: candles.close,
    sessions: sessionColumns(candles, calendar),
    deviation: deviationPct / 100,
    settleMinutes,
    lastMinutes,
    isShort: side === "both",
  }),
  walk(stand) {
    const { i, held } = stand;
    const { average, close, sessions, deviation, settleMinutes, lastMinutes, isShort } = stand.columns;
    const away = close[i] / average[i] - 1;
    const isLate = sessions.minutes[i] >= lastMinutes || isOver(sessions, i);
    const mayBegin = sessions.minutes[i] >= settleMinutes && mayEnter(sessions, i);
    if (held !== 0 && isLate) stand.exit("the day is over");
    else if ((held > 0 && away >= 0) || (held < 0 && away <= 0)) stand.exit("back at the average");
    else if (held === 0 && !isLate && mayBegin) {
      if (away <= -deviation) stand.enter(1, { why: "far below the average" });
      else if (away >= deviation && isShort) stand.enter(-1, { why: "far above the average" });
    }
  },
});
