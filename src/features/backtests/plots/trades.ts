import { assert } from "../../../core/base/assert.js";
import type { Candles } from "../../../core/market/candles.js";
import { INTERVAL_MS, type Interval } from "../../../core/market/interval.js";
import { isoTime } from "../../../platform/http.js";
import {
  axisStyle,
  COLORS,
  legendOf,
  MARGIN,
  numberText,
  type PlotText,
  renderPlot,
  valueAxis,
} from "./render.js";
import { thinBars } from "./thin.js";

/** A trade on the candles it is drawn on; bars by index, prices in their unit. */
export interface DrawnTrade {
  readonly direction: 1 | -1;
  readonly entryAt: number;
  readonly entry: number;
  /** Null while it is open. */
  readonly exitAt: number | null;
  readonly exit: number | null;
  readonly stop: number | null;
}

/** Trades that are drawn; of more the newest. */
export const MOST_TRADES = 400;
const HEIGHT = 480;

/**
 * Candles with where trades were entered and left and where their stops lay. Of many bars several are put together to a
 * candle: its extremes are theirs, prices of trades stay what they were.
 * @param unit of prices: `USD`.
 */
export function plotTrades(
  text: PlotText,
  candles: Candles,
  trades: readonly DrawnTrade[],
  unit: string,
): string {
  const { bars, width } = thinBars(candles);
  const placeOf = (at: number) => {
    assert(Number.isInteger(at) && at >= 0 && at < candles.time.length, `there is no bar ${at}`);
    return Math.floor(at / width);
  };
  const shown = trades.slice(-MOST_TRADES);
  const last = bars.time.length - 1;
  const dates = Array.from(bars.time, (ms) => barName(ms, candles.interval));
  return renderPlot(noted(text, width, shown.length, trades.length, last < 0), HEIGHT, {
    grid: MARGIN,
    legend: {
      ...legendOf(["long entry", "short entry", "exit", "stop", "gain", "loss"]),
      itemWidth: 12,
      symbolRotate: "inherit",
    },
    xAxis: {
      ...axisStyle("bar, UTC"),
      type: "category",
      data: dates,
      nameLocation: "middle",
      nameGap: 30,
      splitLine: { show: false },
      axisTick: { show: false },
    },
    yAxis: valueAxis(unit, numberText),
    series: [candleSeries(bars), ...tradeSeries(shown, placeOf, last)],
  });
}

function noted(text: PlotText, width: number, shown: number, all: number, empty: boolean): PlotText {
  const notes = [
    ...(empty ? ["no data"] : []),
    ...(width > 1 ? [`a candle is ${width} bars`] : []),
    ...(shown < all ? [`the newest ${shown} of ${all} trades`] : []),
  ];
  return { ...text, subtitle: [text.subtitle, ...notes].join("; ") };
}

/** A bar by its day, and its minute where there are several a day. */
function barName(ms: number, interval: Interval): string {
  return INTERVAL_MS[interval] >= INTERVAL_MS["1d"]
    ? isoTime(ms).slice(0, 10)
    : isoTime(ms).slice(0, 16).replace("T", " ");
}

function candleSeries({ open, high, low, close }: ReturnType<typeof thinBars>["bars"]) {
  return {
    type: "candlestick" as const,
    // In the order of echarts.
    data: Array.from(open, (_, i) => [open[i], close[i], low[i], high[i]]),
    silent: true,
    itemStyle: {
      color: COLORS.gain,
      color0: COLORS.loss,
      borderColor: COLORS.gain,
      borderColor0: COLORS.loss,
      opacity: 0.45,
    },
    emphasis: { disabled: true },
  };
}

function tradeSeries(trades: readonly DrawnTrade[], placeOf: (at: number) => number, last: number) {
  const entries = (direction: 1 | -1) =>
    trades
      .filter((trade) => trade.direction === direction)
      .map(({ entryAt, entry }) => [placeOf(entryAt), entry]);
  const ended = trades.flatMap(({ direction, entryAt, entry, exitAt, exit }) =>
    exitAt === null || exit === null ? [] : [{ direction, entryAt, entry, exitAt, exit }],
  );
  const moves = (gained: boolean) =>
    ended
      .filter(({ direction, entry, exit }) => direction * (exit - entry) > 0 === gained)
      .map(({ entryAt, entry, exitAt, exit }) => [
        [placeOf(entryAt), entry],
        [placeOf(exitAt), exit],
      ]);
  const stops = trades.flatMap(({ entryAt, exitAt, stop }) => {
    if (stop === null) return [];
    return [[placeOf(entryAt), exitAt === null ? last : placeOf(exitAt), stop]];
  });
  const long = stops.filter(([from, to]) => to > from);
  // In one candle from entry to exit a line has no length: a dash stands for it.
  const short = stops.filter(([from, to]) => to === from);
  const exits = ended.map(({ exitAt, exit }) => [placeOf(exitAt), exit]);
  return [
    segments("stop", long.map(levelOf), COLORS.mark, "dashed"),
    segments("gain", moves(true), COLORS.gain, "solid"),
    segments("loss", moves(false), COLORS.loss, "solid"),
    marks("long entry", entries(1), COLORS.line, "triangle"),
    marks("short entry", entries(-1), COLORS.other, "triangle", 180),
    marks("exit", exits, COLORS.ink, "diamond"),
    marks(
      "stop",
      short.map(([at, , price]) => [at, price]),
      COLORS.mark,
      "rect",
      0,
      [7, 1.5],
    ),
    // Nothing is drawn: lines alone would not widen the axis to the stops.
    marks(
      "stop",
      stops.map(([at, , price]) => [at, price]),
      COLORS.mark,
      "none",
    ),
  ];
}

/** A stop from the candle of the entry to that of the exit. */
function levelOf([from, to, price]: readonly number[]): number[][] {
  return [
    [from, price],
    [to, price],
  ];
}

function segments(name: string, pairs: number[][][], color: string, type: "solid" | "dashed") {
  return {
    name,
    type: "lines" as const,
    coordinateSystem: "cartesian2d" as const,
    data: pairs.map((coords) => ({ coords })),
    color,
    lineStyle: { color, type, width: type === "dashed" ? 1 : 1.5, opacity: 1 },
    silent: true,
    emphasis: { disabled: true },
  };
}

function marks(
  name: string,
  data: number[][],
  color: string,
  symbol: string,
  symbolRotate = 0,
  symbolSize: number | number[] = 9,
) {
  return {
    name,
    type: "scatter" as const,
    data,
    color,
    symbol,
    symbolRotate,
    symbolSize,
    silent: true,
    itemStyle: { opacity: 1 },
    emphasis: { disabled: true },
  };
}
