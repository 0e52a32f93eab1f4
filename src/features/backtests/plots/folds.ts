import {
  axisStyle,
  COLORS,
  type Drawing,
  legendOf,
  MARGIN,
  numberText,
  type PlotText,
  renderPlot,
  timeAxis,
  WIDTH,
} from "./render.js";

/** A fold of a walk-forward: windows [from, to) in epoch ms and what the measure came to in each, null for none. */
export interface DrawnFold {
  readonly trainFromMs: number;
  readonly trainToMs: number;
  readonly testFromMs: number;
  readonly testToMs: number;
  readonly trainResult: number | null;
  readonly testResult: number | null;
}

const TRAIN = "train";
const TEST = "test";
/** Rows are as high as their labels need, and lower where there are many. */
const ROW = { most: 26, least: 9, all: 900 } as const;
const RESULTS_WIDTH = 250;
const BETWEEN = 60;

/**
 * The windows of each fold on the left, and what the measure came to in them on the right.
 * @param measure by which parameters were chosen: `Sharpe ratio, annual`.
 */
export function plotFolds(text: PlotText, folds: readonly DrawnFold[], measure: string): string {
  const row = Math.min(ROW.most, Math.max(ROW.least, ROW.all / Math.max(1, folds.length)));
  const height = MARGIN.top + Math.round(row * Math.max(1, folds.length)) + MARGIN.bottom;
  const fromMs = folds.reduce(
    (least, { trainFromMs }) => Math.min(least, trainFromMs),
    Number.POSITIVE_INFINITY,
  );
  const toMs = folds.reduce((most, { testToMs }) => Math.max(most, testToMs), Number.NEGATIVE_INFINITY);
  const none = folds.filter(
    ({ trainResult, testResult }) => trainResult === null || testResult === null,
  ).length;
  const notes = [
    ...(folds.length === 0 ? ["no data"] : []),
    ...(none > 0 ? [`without a result in a window: ${none} of ${folds.length} folds`] : []),
  ];
  const windows = { left: MARGIN.left, right: MARGIN.right + RESULTS_WIDTH + BETWEEN };
  const results = { left: WIDTH - MARGIN.right - RESULTS_WIDTH, right: MARGIN.right };
  const grid = { top: MARGIN.top, bottom: MARGIN.bottom };
  const dates = folds.length === 0 ? timeAxis(0, 1) : timeAxis(fromMs, toMs);
  return renderPlot({ ...text, subtitle: [text.subtitle, ...notes].join("; ") }, height, {
    grid: [
      { ...grid, ...windows },
      { ...grid, ...results },
    ],
    legend: legendOf([TRAIN, TEST]),
    xAxis: [
      { ...dates, gridIndex: 0 },
      {
        ...axisStyle(measure),
        type: "value",
        scale: true,
        gridIndex: 1,
        nameLocation: "middle",
        nameGap: 30,
        axisLabel: { color: COLORS.ink, formatter: numberText, hideOverlap: true },
      },
    ],
    yAxis: [foldAxis(folds.length, "fold", 0), foldAxis(folds.length, "", 1)],
    series: [
      windowSeries(
        TRAIN,
        COLORS.ink,
        folds.map(({ trainFromMs, trainToMs }, i) => [trainFromMs, trainToMs, i]),
      ),
      windowSeries(
        TEST,
        COLORS.line,
        folds.map(({ testFromMs, testToMs }, i) => [testFromMs, testToMs, i]),
      ),
      resultSeries(
        TRAIN,
        COLORS.ink,
        folds.map(({ trainResult }) => trainResult),
      ),
      resultSeries(
        TEST,
        COLORS.line,
        folds.map(({ testResult }) => testResult),
      ),
    ],
  });
}

function foldAxis(count: number, name: string, gridIndex: number) {
  const style = axisStyle(name);
  return {
    ...style,
    type: "category" as const,
    data: Array.from({ length: count }, (_, i) => String(i + 1)),
    inverse: true,
    nameLocation: "start" as const,
    gridIndex,
    axisTick: { show: false },
    axisLabel: gridIndex === 0 ? style.axisLabel : { show: false },
    splitLine: { show: false },
  };
}

/** Bars from one time to another. @param data rows of from, to and row. */
function windowSeries(name: string, color: string, data: number[][]) {
  return {
    name,
    type: "custom" as const,
    color,
    silent: true,
    data,
    encode: { x: [0, 1], y: 2 },
    renderItem(_: unknown, api: Drawing) {
      const [left, middle] = api.coord([api.value(0), api.value(2)]);
      const [right] = api.coord([api.value(1), api.value(2)]);
      const height = 0.6 * api.size([0, 1])[1];
      return {
        type: "rect",
        shape: { x: left, y: middle - height / 2, width: right - left, height },
        style: { fill: color, opacity: name === TEST ? 0.9 : 0.5 },
      };
    },
  };
}

function resultSeries(name: string, color: string, results: readonly (number | null)[]) {
  return {
    name,
    type: "scatter" as const,
    xAxisIndex: 1,
    yAxisIndex: 1,
    color,
    symbolSize: name === TEST ? 9 : 7,
    silent: true,
    itemStyle: { opacity: 1 },
    emphasis: { disabled: true },
    data: results.flatMap((value, i) => (value === null ? [] : [[value, i]])),
  };
}
