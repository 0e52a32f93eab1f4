import { assert } from "../../../core/base/assert.js";
import {
  COLORS,
  type Drawing,
  legendOf,
  MARGIN,
  numberText,
  type PlotText,
  percentText,
  renderPlot,
  timeAxis,
  valueAxis,
} from "./render.js";
import { thinIndexes } from "./thin.js";

/** The equity of a backtest. Columns of one length; NaN where nothing is known. */
export interface EquityColumns {
  /** Epoch ms, ascending. */
  readonly time: Float64Array;
  readonly equity: Float64Array;
  /** What the same money would have been in something else, and its name. */
  readonly benchmark: { readonly name: string; readonly equity: Float64Array } | null;
  /** The equity had all doubtful bars gone the worst or the best way. */
  readonly bounds: { readonly worst: Float64Array; readonly best: Float64Array } | null;
  /** `USD`. */
  readonly currency: string;
}

const HEIGHT = 400;
const EQUITY = "equity";
const BOUNDS = "worst to best fill";

/** Equity over time, with the benchmark and the bounds of what is doubtful. */
export function plotEquity(text: PlotText, columns: EquityColumns): string {
  const { time, equity, benchmark, bounds, currency } = columns;
  const lines = [
    ...(bounds === null ? [] : boundSeries(time, bounds)),
    ...(benchmark === null
      ? []
      : [{ ...lineSeries(benchmark.name, time, benchmark.equity, COLORS.other), lineStyle: { width: 1 } }]),
    lineSeries(EQUITY, time, equity, COLORS.line),
  ];
  const named = [
    EQUITY,
    ...(benchmark === null ? [] : [benchmark.name]),
    ...(bounds === null ? [] : [BOUNDS]),
  ];
  return renderPlot(said(text, time), HEIGHT, {
    grid: MARGIN,
    legend: legendOf(named),
    xAxis: timeAxis(time[0] ?? 0, time[time.length - 1] ?? 1),
    yAxis: valueAxis(currency, numberText),
    series: lines,
  });
}

/**
 * How far below the highest level before, over time.
 * @param depth shares of that level, 0 or more, as `drawdownsOf` gives them.
 */
export function plotDrawdown(text: PlotText, time: Float64Array, depth: Float64Array): string {
  const below = depth.map((share) => 0 - share);
  const series = lineSeries("drawdown", time, below, COLORS.loss);
  return renderPlot(said(text, time), 280, {
    grid: MARGIN,
    xAxis: timeAxis(time[0] ?? 0, time[time.length - 1] ?? 1),
    // Without a fall there is no scale: a hundredth stands for one.
    yAxis: {
      ...valueAxis("% of peak", percentText),
      max: 0,
      ...(below.some((share) => share < 0) ? {} : { min: -0.01 }),
    },
    series: [{ ...series, areaStyle: { color: COLORS.loss, opacity: 0.25 } }],
  });
}

function said(text: PlotText, time: Float64Array): PlotText {
  return time.length > 0 ? text : { ...text, subtitle: `${text.subtitle}: no data` };
}

function pointsOf(time: Float64Array, column: Float64Array): [number, number | null][] {
  assert(column.length === time.length, `${column.length} values at ${time.length} times`);
  return Array.from(thinIndexes(column), (i) => [time[i], Number.isFinite(column[i]) ? column[i] : null]);
}

function lineSeries(name: string, time: Float64Array, column: Float64Array, color: string) {
  const data = pointsOf(time, column);
  return {
    name,
    type: "line" as const,
    data,
    // A line of one point would not be seen.
    showSymbol: data.length === 1,
    silent: true,
    color,
    lineStyle: { width: 1.5 },
    emphasis: { disabled: true },
  };
}

/** Thin lines of the bounds and what lies between them. */
function boundSeries(time: Float64Array, { worst, best }: { worst: Float64Array; best: Float64Array }) {
  const edges = [best, worst].map((column) => ({
    ...lineSeries(BOUNDS, time, column, COLORS.line),
    lineStyle: { width: 1, opacity: 0.5 },
  }));
  const isKnown = (point: [number, number | null]): point is [number, number] => point[1] !== null;
  const outline = [...pointsOf(time, best), ...pointsOf(time, worst).reverse()].filter(isKnown);
  const area = {
    type: "custom" as const,
    name: BOUNDS,
    silent: true,
    clip: true,
    color: COLORS.line,
    data: outline.length === 0 ? [] : [outline[0]],
    renderItem: (_: unknown, api: Drawing) => ({
      type: "polygon",
      shape: { points: outline.map((point) => api.coord(point)) },
      style: { fill: COLORS.line, opacity: 0.2 },
    }),
  };
  return [area, ...edges];
}
